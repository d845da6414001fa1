"""Small line charts as SVG, drawn by hand: a few panels above each other that share one x axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP, BOTTOM = 760, 150, 74, 150, 44, 34, 40
COLOURS = ("#0b5fa5", "#b3261e", "#2e7d32", "#8a5a00", "#5e35b1")
INK, FAINT = "#1f2328", "#d0d7de"
FONT = f'font-family="sans-serif" font-size="12" fill="{INK}"'
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One diagram: lines by name over a common y axis."""

    label: str
    lines: Mapping[str, Points]


def draw(path: Path, *, title: str, x_label: str, panels: Sequence[Panel], ticks: dict[float, str]) -> None:
    """Write a chart; `ticks` are the places on the x axis and what is written there."""
    height = TOP + len(panels) * (PANEL + GAP) - GAP + BOTTOM
    xs = [x for panel in panels for points in panel.lines.values() for x, _ in points] + list(ticks)
    low, high = min(xs), max(xs)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" {FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, TOP + number * (PANEL + GAP), low, high, ticks)
    bottom = height - BOTTOM
    parts += [
        f'<text x="{_x(at, low, high):.1f}" y="{bottom + 16}" text-anchor="middle">{escape(text)}</text>'
        for at, text in ticks.items()
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 32}" text-anchor="middle">{escape(x_label)}</text></svg>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts) + "\n")


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (WIDTH - RIGHT - LEFT) * (value - low) / ((high - low) or 1)


def _panel(panel: Panel, top: float, low: float, high: float, ticks: dict[float, str]) -> list[str]:
    most = nice(max((y for points in panel.lines.values() for _, y in points), default=1))
    parts = [f'<text x="{LEFT}" y="{top - 6}" font-size="11">{escape(panel.label)}</text>']
    for share in (0, 0.5, 1):
        y = top + PANEL * (1 - share)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{FAINT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{most * share:,.6g}</text>')
    for at in ticks:
        x = f"{_x(at, low, high):.1f}"
        parts.append(f'<line x1="{x}" x2="{x}" y1="{top + PANEL}" y2="{top + PANEL + 4}" stroke="{INK}"/>')
    for number, (name, points) in enumerate(panel.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        drawn = " ".join(f"{_x(x, low, high):.1f},{top + PANEL * (1 - y / most):.1f}" for x, y in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        where = f'x="{WIDTH - RIGHT + 10}" y="{top + 14 + number * 18}"'
        parts.append(f'<text {where} fill="{colour}" font-weight="bold">{escape(name)}</text>')
    return parts


def nice(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50, … that is not below a value."""
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if value <= step * factor:
                return step * factor
        step *= 10


def seconds_ticks(longest: float) -> dict[float, str]:
    """Return some six places on an axis of seconds."""
    step = nice(longest / 6)
    return {number * step: f"{number * step:g}" for number in range(int(longest / step) + 1)}
