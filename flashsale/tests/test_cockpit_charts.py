"""The cockpit's pictures for 10, 1,000 and 1,000,000: labels apart, axes honest, tables that say the same."""

import re
from collections.abc import Sequence

import pytest

from flashsale.cockpit import charts, scales
from flashsale.cockpit.charts import Flag, Series

SIZES = [10, 1_000, 1_000_000]
LABEL = re.compile(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)" class="(\w*)">([^<]+)<')
Box = tuple[float, float, float, float]


def boxes(svg: str) -> list[tuple[str, Box]]:
    found = []
    for x, y, anchor, _kind, words in LABEL.findall(svg):
        width = len(words) * charts.LETTER
        left = float(x) - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        found.append((words, (left, float(y) - 10, left + width, float(y) + 2)))
    return found


def overlapping(svg: str) -> list[tuple[str, str]]:
    found = boxes(svg)
    return [
        (one, other)
        for place, (one, a) in enumerate(found)
        for other, b in found[place + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def sold(size: int) -> tuple[list[float], list[Series]]:
    times = [1_800_000_000.0 + second for second in range(60)]
    taken = [min(size, size * second // 30) for second in range(60)]
    paid = [count // 3 for count in taken]
    layers = {
        "paid": paid,
        "held": [count - half for count, half in zip(taken, paid, strict=True)],
        "returned": [0] * 60,
        "free": [size - count for count in taken],
    }
    return times, [Series(name.title(), name, values) for name, values in layers.items()]


def pictures(size: int) -> dict[str, str]:
    times, series = sold(size)
    flags = [Flag(times[10], "Mei: Paused."), Flag(times[11], "Mei: Resumed."), Flag(times[40], "Mei: Rate.")]
    rates = [
        (name, kind, scales.binned([(at, size * share) for at in times], times[0], times[-1]))
        for name, kind, share in (
            ("Reserved", "reserved", 0.01),
            ("Sold out", "sold_out", 0.9),
            ("In line", "queued", 0.9),
        )
    ]
    parts = [
        ("Reserved", "reserved", size // 100 + 1),
        ("Line full", "full", 1),
        ("Sold out", "sold_out", size),
    ]
    names = [f"{minute}:00" for minute in range(1, 11)]
    return {
        "units": charts.stack("units", times, series, size, flags),
        "rates": charts.rates("rates", times[0], times[-1], rates, flags),
        "line": charts.cumulative("line", times, series[:2], flags),
        "bars": charts.bars("bars", names, [size, 0, 1, *[size // 3] * 7]),
        "whole": charts.whole("whole", parts),
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["units", "rates", "line", "bars", "whole"])
def test_labels_never_touch_and_stay_inside(size: int, name: str) -> None:
    svg = pictures(size)[name]
    assert overlapping(svg) == []
    assert [words for words, box in boxes(svg) if box[0] < -1 or box[2] > charts.WIDTH + 1] == []


def test_labels_that_touch_are_found() -> None:
    text = '<text x="{}" y="{}" text-anchor="start" class="">{}</text>'
    svg = text.format(1, 20, "Paid 3") + text.format(9, 22, "Held 4")
    assert overlapping(svg) == [("Paid 3", "Held 4")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11, 97, 340, 1_000, 1_000_000])
def test_the_axis_of_units_ends_at_the_quantity(size: int) -> None:
    ticks = scales.count_ticks(size)
    assert (ticks[0], ticks[-1]) == (0, size)
    assert len(ticks) <= 6
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [0, 1]), (3, [0, 1, 2, 3]), (51, [0, 1, 10, 100]), (90_000, [0, 1, 10, 100, 1000, 10_000, 100_000])],
)
def test_rates_are_on_a_log_axis_once_they_are_high(most: float, ticks: Sequence[int]) -> None:
    assert scales.rate_ticks(most) == ticks


def test_a_peak_of_one_second_is_not_averaged_away() -> None:
    points = [(float(second), 1.0) for second in range(86_400)]
    points[40_000] = (40_000.0, 9_000.0)
    bins = scales.binned(points, 0, 86_399)
    assert len(bins) <= 300
    assert max(one.most for one in bins) == 9_000
    assert max(one.middle for one in bins) == 1


@pytest.mark.parametrize("values", [[1, 1_000_000], [1] * 9, [5], [1, 1, 1, 999_997]])
def test_no_segment_is_thinner_than_two_pixels_and_all_fit(values: list[int]) -> None:
    widths = charts.segment_widths(values)
    assert min(widths) >= 2
    assert sum(widths) + 2 * (len(widths) - 1) <= charts.WIDTH - charts.LEFT - 19


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (3, 10, "3 of 10"),
        (0, 0, "0 of 0"),
        (1, 100_000, "< 0.1 %"),
        (99_999, 100_000, "> 99.9 %"),
        (100, 100, "100 %"),
        (0, 100, "0 %"),
        (6, 100, "6.0 %"),
    ],
)
def test_a_share_promises_no_more_than_it_knows(part: int, whole: int, said: str) -> None:
    assert scales.share(part, whole) == said


@pytest.mark.parametrize(("count", "said"), [(950, "950"), (10_000, "10k"), (2_500_000, "2.5M")])
def test_only_axes_are_compact(count: int, said: str) -> None:
    assert scales.compact(count) == said
    assert scales.number(9_999_999) == "9,999,999"


@pytest.mark.parametrize("size", SIZES)
def test_the_table_says_what_the_picture_shows(size: int) -> None:
    times, series = sold(size)
    headers, rows = charts.table(times, series)
    assert headers == ["Paid", "Held", "Returned", "Free"]
    assert [float(cell) for cell in rows[-1][1:]] == [one.values[-1] for one in series]
    assert all(sum(float(cell) for cell in row[1:]) == size for row in rows)


def test_few_events_are_single_marks_and_many_are_not() -> None:
    bins = scales.binned([(float(at), 1.0) for at in range(20)], 0, 19)
    assert charts.rates("few", 0, 19, [("Reserved", "reserved", bins)]).count("<circle") == 20
    bins = scales.binned([(float(at), 1.0) for at in range(200)], 0, 199)
    assert charts.rates("many", 0, 199, [("Reserved", "reserved", bins)]).count("<circle") == 0
