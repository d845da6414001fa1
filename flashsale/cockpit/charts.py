"""The cockpit's pictures, drawn here as SVG: each with a sentence, its table, and the same table as CSV.

Nothing is told by colour alone: areas and lines carry their names at their side, lines also a dash.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from flashsale.cockpit import scales
from flashsale.cockpit.scales import Bin, Scale, compact, number

WIDTH, HEIGHT = 600, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 190, 18, 30
LINE_GAP = 15
LETTER = 6.6
"""Width of a letter of 12 px, at most; what is placed side by side is measured by it."""
SINGLE_MARKS = 30
LEAST, GAP = 2.0, 2.0
NAME_LINES = 3
"""Lines below a row of bars on which their names take turns, so that long ones do not touch."""

OF_A_FILE = (
    "text{font:12px sans-serif}.axis{fill:#57606a}.rule{stroke:#d5dae0}.line{fill:none;stroke:#7b4fb5;"
    "stroke-width:2}.area{fill:#7b4fb5}.area.paid,.area.reserved{fill:#1a6b3c}.area.held,.area.queued{fill:"
    "#2f6fd0}.area.free,.area.sold_out{fill:#8b939e}.faint{opacity:.4}.flag{stroke:#57606a}"
)

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and what it shows: `rows` are what the table and the CSV say, under `headers`."""

    name: str
    title: str
    sentence: str
    svg: SafeString
    headers: Sequence[str]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Series:
    """A named line or layer; `kind` is its class in the style sheet."""

    name: str
    kind: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Flag:
    """Something an operator did, at an instant (s); its sentence stands in the audit log."""

    at: float
    what: str


@dataclass(slots=True)
class Canvas:
    """Collects the parts of one picture."""

    label: str
    height: int = HEIGHT
    parts: list[SafeString] = field(default_factory=list)

    def add(self, markup: str, **values: object) -> None:
        """Add a part; values are escaped."""
        self.parts.append(format_html(markup, **values))

    def text(self, x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> None:
        """Write words at a place."""
        self.add(
            '<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">{words}</text>',
            x=round(x, 1),
            y=round(y, 1),
            anchor=anchor,
            kind=kind,
            words=words,
        )

    def svg(self) -> SafeString:
        """Return the whole picture."""
        body = mark_safe("".join(self.parts))  # noqa: S308 - every part was escaped by format_html
        return format_html(
            '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
            WIDTH,
            self.height,
            self.label,
            body,
        )


def standalone(chart: Chart) -> str:
    """Return a picture as a file of its own: with its name space and its colours."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" '
    return chart.svg.replace("<svg ", head, 1).replace(">", f"><style>{OF_A_FILE}</style>", 1)


def stack(
    label: str, times: Sequence[float], series: Sequence[Series], quantity: int, flags: Sequence[Flag] = ()
) -> SafeString:
    """Draw a stepped stack whose axis ends at `quantity` and is never rescaled."""
    canvas, x, y = _frame(label, times, Scale(0, quantity, HEIGHT - BOTTOM, TOP))
    _value_axis(canvas, y, [(tick, compact(tick)) for tick in scales.count_ticks(quantity)])
    base = [0.0] * len(times)
    middles = []
    for one in series:
        top = [low + value for low, value in zip(base, one.values, strict=True)]
        if any(one.values):
            upper = _steps(x, y, times, top)
            lower = _steps(x, y, times, base)
            points = " ".join([*upper, *reversed(lower)])
            canvas.add('<polygon class="area {kind}" points="{points}"/>', kind=one.kind, points=points)
        middles.append(y((base[-1] + top[-1]) / 2) if times else y(0))
        base = top
    _names(canvas, [(one.name, one.kind, one.values[-1] if times else 0) for one in series], middles)
    _flags(canvas, x, flags)
    return canvas.svg()


def rates(
    label: str,
    begin: float,
    end: float,
    series: Sequence[tuple[str, str, Sequence[Bin]]],
    flags: Sequence[Flag] = (),
) -> SafeString:
    """Draw rates: of each bin the greatest value as a line, the middle one as a faint one below it."""
    most = max((one.most for _, _, bins in series for one in bins), default=0.0)
    ticks = scales.rate_ticks(most)
    y = Scale(0, max(ticks[-1], most), HEIGHT - BOTTOM, TOP, is_log=most > scales.LOG_FROM)
    canvas, x, y = _frame(label, [begin, end], y)
    _value_axis(canvas, y, [(tick, compact(tick)) for tick in ticks])
    for _, kind, bins in series:
        if len(bins) > 1 and any(one.middle < one.most for one in bins):
            _line(canvas, f"faint {kind}", [(x(one.at), y(one.middle)) for one in bins])
        _line(canvas, kind, [(x(one.at), y(one.most)) for one in bins], marks=_is_few(bins))
    ends = [y(bins[-1].most) if bins else y(0) for _, _, bins in series]
    last = [(name, kind, bins[-1].most if bins else 0) for name, kind, bins in series]
    _names(canvas, last, ends)
    _flags(canvas, x, flags)
    return canvas.svg()


def cumulative(
    label: str, times: Sequence[float], series: Sequence[Series], flags: Sequence[Flag] = ()
) -> SafeString:
    """Draw growing counts; between two of them the distance across is the wait, and down the length."""
    most = max((int(max(one.values, default=0)) for one in series), default=0)
    canvas, x, y = _frame(label, times, Scale(0, max(1, most), HEIGHT - BOTTOM, TOP))
    _value_axis(canvas, y, [(tick, compact(tick)) for tick in scales.count_ticks(max(1, most))])
    for one in series:
        steps = [tuple(map(float, point.split(","))) for point in _steps(x, y, times, one.values)]
        _line(canvas, one.kind, steps)
    ends = [y(one.values[-1]) if times else y(0) for one in series]
    _names(canvas, [(one.name, one.kind, one.values[-1] if times else 0) for one in series], ends)
    _flags(canvas, x, flags)
    return canvas.svg()


def bars(
    label: str, names: Sequence[str], values: Sequence[int], *, kind: str = "held", most: int = 0
) -> SafeString:
    """Draw a bar for each name, its value above it; a bar of anything is at least 2 px high."""
    top = max([most, 1, *values])
    canvas = Canvas(label)
    y = Scale(0, top, HEIGHT - BOTTOM, TOP + LINE_GAP)
    slot = (WIDTH - LEFT - 20) / max(1, len(names))
    longest = max((len(name) for name in names), default=1) * LETTER
    every = max(1, int(-(-longest // slot)))
    lines = min(every, NAME_LINES)
    canvas.height = HEIGHT + (lines - 1) * LINE_GAP
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        x, floor = LEFT + place * slot, HEIGHT - BOTTOM
        height = max(LEAST, floor - y(value)) if value else 0
        canvas.add(
            '<rect class="area {kind}" x="{x}" y="{y}" width="{w}" height="{h}"/>',
            kind=kind,
            x=round(x + GAP / 2, 1),
            y=round(floor - height, 1),
            w=round(slot - GAP, 1),
            h=round(height, 1),
        )
        if len(compact(value)) * LETTER < slot:
            canvas.text(x + slot / 2, floor - height - 5, compact(value), anchor="middle")
        if every <= NAME_LINES or place % every == 0:
            at = max(longest / 2, min(WIDTH - longest / 2, x + slot / 2))
            canvas.text(at, HEIGHT - 10 + place % lines * LINE_GAP, name, anchor="middle", kind="axis")
    canvas.add('<path class="rule" d="M{x} {y}H{end}"/>', x=LEFT, y=HEIGHT - BOTTOM, end=WIDTH - 20)
    return canvas.svg()


def whole(label: str, parts: Sequence[tuple[str, str, int]]) -> SafeString:
    """Draw one bar of 100 %: segments of at least 2 px, 2 px apart, each with its name on a line below it."""
    canvas, shown = Canvas(label), [part for part in parts if part[2]]
    widths = segment_widths([value for _, _, value in shown])
    x, taken = float(LEFT), [0.0] * len(shown)
    for (name, kind, value), width in zip(shown, widths, strict=True):
        area = '<rect class="area {kind}" x="{x}" y="12" width="{w}" height="34"/>'
        canvas.add(area, kind=kind, x=round(x, 1), w=width)
        words = f"{name} {number(value)}"
        begin = max(float(LEFT), min(x, WIDTH - len(words) * LETTER))
        line = next(line for line, end in enumerate(taken) if begin >= end)
        # At the right edge the words end there, however wide the reader's letters are.
        is_last = begin < x
        at, anchor = (WIDTH - 2, "end") if is_last else (begin, "start")
        canvas.text(at, 66 + line * LINE_GAP, words, anchor=anchor)
        canvas.add('<path class="rule" d="M{x} 46V54"/>', x=round(x + min(width / 2, 6), 1))
        taken[line] = begin + (len(words) + 2) * LETTER
        x += width + GAP
    canvas.height = 76 + LINE_GAP * sum(end > 0 for end in taken)
    return canvas.svg()


def segment_widths(values: Sequence[int]) -> list[float]:
    """Share the bar's width among values above 0: true to scale, but none under 2 px."""
    room = WIDTH - LEFT - 20 - GAP * max(0, len(values) - 1)
    total = sum(values)
    small = [value for value in values if value / total * room < LEAST] if total else []
    left, rest = room - LEAST * len(small), total - sum(small)
    return [LEAST if value / total * room < LEAST else round(value / rest * left, 1) for value in values]


def table(times: Sequence[float], series: Sequence[Series]) -> tuple[list[str], list[list[str]]]:
    """Return what a chart over time shows, as headers and rows; the time to the second, UTC in ISO 8601."""
    rows = [[iso(at), *(f"{one.values[place]:g}" for one in series)] for place, at in enumerate(times)]
    return [one.name for one in series], rows


def iso(at: float) -> str:
    """Return an instant (s) as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _frame(label: str, times: Sequence[float], y: Scale) -> tuple[Canvas, Scale, Scale]:
    canvas = Canvas(label)
    begin, end = (times[0], max(times[-1], times[0] + 1)) if times else (0.0, 1.0)
    x = Scale(begin, end, LEFT, WIDTH - RIGHT)
    if times:
        _time_axis(canvas, x)
    return canvas, x, y


def _time_axis(canvas: Canvas, x: Scale) -> None:
    shows_seconds = x.high - x.low < 600
    for part in range(5):
        at = x.low + (x.high - x.low) * part / 4
        local = timezone.localtime(datetime.fromtimestamp(at, UTC))
        words = f"{local:%H:%M:%S}" if shows_seconds else f"{local:%H:%M}"
        canvas.text(x(at), HEIGHT - 10, words, anchor="middle", kind="axis")


def _value_axis(canvas: Canvas, y: Scale, ticks: Sequence[tuple[float, str]]) -> None:
    last = float("inf")
    for value, words in ticks:
        at = y(value)
        canvas.add('<path class="rule" d="M{x} {y}H{end}"/>', x=LEFT, y=at, end=WIDTH - RIGHT)
        if last - at >= LINE_GAP:
            canvas.text(LEFT - 6, at + 4, words, anchor="end", kind="axis")
            last = at


def _steps(x: Scale, y: Scale, times: Sequence[float], values: Sequence[float]) -> list[str]:
    points: list[str] = []
    for place, at in enumerate(times):
        if place:
            points.append(f"{x(at)},{y(values[place - 1])}")
        points.append(f"{x(at)},{y(values[place])}")
    return points


def _line(canvas: Canvas, kind: str, points: Sequence[Sequence[float]], *, marks: bool = False) -> None:
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points) if points else ""
    canvas.add('<path class="line {kind}" d="{path}"/>', kind=kind, path=path)
    if marks:
        dots = format_html_join(
            "", '<circle class="area {}" cx="{}" cy="{}" r="3"/>', ((kind, *p) for p in points)
        )
        canvas.parts.append(dots)


def _is_few(bins: Sequence[Bin]) -> bool:
    return len(bins) <= SINGLE_MARKS


def _names(canvas: Canvas, names: Sequence[tuple[str, str, float]], places: Sequence[float]) -> None:
    """Write each name with its last value at the right of its line; where they would touch, moved apart."""
    moved = scales.spread(places, LINE_GAP, TOP, HEIGHT - BOTTOM)
    for (name, kind, value), wanted, at in zip(names, places, moved, strict=True):
        edge = WIDTH - RIGHT
        path = f"M{edge + 2} {wanted}L{edge + 12} {at:g}H{edge + 16}"
        canvas.add('<path class="line lead {kind}" d="{path}"/>', kind=kind, path=path)
        canvas.text(edge + 20, at + 4, f"{name} {number(value)}")


def _flags(canvas: Canvas, x: Scale, flags: Sequence[Flag]) -> None:
    """Number what operators did on the time axis; two that would touch share one number's place."""
    last = -100.0
    for count, flag in enumerate(flags, 1):
        if not x.low <= flag.at <= x.high:
            continue
        at = x(flag.at)
        canvas.add(
            '<path class="flag" d="M{x} {top}V{end}"><title>{what}</title></path>',
            x=at,
            top=TOP - 4,
            end=HEIGHT - BOTTOM,
            what=flag.what,
        )
        if at - last >= 3 * LETTER:
            canvas.text(at, TOP - 7, str(count), anchor="middle", kind="axis")
            last = at
