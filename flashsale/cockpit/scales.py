"""From figures to places in a picture: scales, ticks, bins, and numbers as an axis says them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from django.utils.formats import number_format
from django.utils.translation import get_language, pgettext

BINS = 300
LOG_FROM = 50
"""A rate above this is drawn on log(1 + x): ten and ten thousand a second both stay readable."""


class Bin(NamedTuple):
    """A stretch of time: its beginning (s), the greatest and the middle value in it."""

    at: float
    most: float
    middle: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `low`..`high` to `start`..`end` pixels, evenly or by log(1 + x)."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value, to a tenth."""
        low, high, at = (self._bent(one) for one in (self.low, self.high, value))
        share = (at - low) / (high - low) if high > low else 0.0
        return round(self.start + share * (self.end - self.start), 1)

    def _bent(self, value: float) -> float:
        return math.log1p(max(0.0, value)) if self.is_log else value


def number(count: float) -> str:
    """Return a number in full digits, grouped: 12,431."""
    return str(number_format(round(count), force_grouping=True))


def compact(count: float) -> str:
    """Return a number as an axis says it: 950, 10k, 2.5M; in Chinese by ten thousands."""
    steps = [(1_000_000, pgettext("million", "M")), (1_000, pgettext("thousand", "k"))]
    if (get_language() or "").startswith("zh"):
        steps = [(100_000_000, "亿"), (10_000, "万")]
    for size, word in steps:
        if count >= size:
            return f"{count / size:.3g}{word}"
    return number(count)


def share(part: int, whole: int) -> str:
    """Return a share that promises no more than it knows: `3 of 10`, `12 %`, `< 0.1 %`, `> 99.9 %`."""
    if whole < 50:
        return pgettext("share", "%(part)s of %(whole)s") % {"part": number(part), "whole": number(whole)}
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{number_format(percent, 1 if percent < 10 and percent else 0)} %"


def count_ticks(most: int) -> list[int]:
    """Return at most five whole numbers from 0 to exactly `most`, evenly apart where they can be."""
    parts = next((parts for parts in (4, 5, 3, 2) if most % parts == 0), 0)
    if parts and most >= parts:
        return [most * part // parts for part in range(parts + 1)]
    if most < 4:
        return list(range(most + 1))
    step = _nice(most / 4)
    return [tick for tick in range(0, most, step) if most - tick >= step / 2] + [most]


def _nice(value: float) -> int:
    size = 10 ** math.floor(math.log10(max(1.0, value)))
    return int(next(size * digit for digit in (1, 2, 5, 10) if size * digit >= value))


def rate_ticks(most: float) -> list[int]:
    """Return the ticks of a rate: 0, 1, 10, 100 ... where it is drawn on log(1 + x), else even ones."""
    if most > LOG_FROM:
        return [0, *(10**power for power in range(math.ceil(math.log10(most)) + 1))]
    step = _nice(max(1.0, most) / 4)
    return list(range(0, math.ceil(max(1.0, most) / step) * step + 1, step))


def binned(points: Sequence[tuple[float, float]], begin: float, end: float) -> list[Bin]:
    """Gather (time, value) into at most 300 bins, so that a peak of one second is not averaged away."""
    width = max(1.0, (end - begin) / BINS)
    found: dict[int, list[float]] = {}
    for at, value in points:
        found.setdefault(min(BINS - 1, int((at - begin) / width)), []).append(value)
    return [Bin(begin + place * width, max(some), median(some)) for place, some in sorted(found.items())]


def thinned(count: int, most: int = BINS) -> list[int]:
    """Return at most `most` places out of `count`, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(place * (count - 1) / (most - 1)) for place in range(most)})


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move places apart so that none is closer than `gap` to the next, within `low`..`high`."""
    order = sorted(range(len(wanted)), key=lambda one: wanted[one])
    placed = [0.0] * len(wanted)
    at = low - gap
    for one in order:
        at = placed[one] = max(wanted[one], at + gap)
    limit = high
    for one in reversed(order):
        placed[one] = min(placed[one], limit)
        limit = placed[one] - gap
    return placed
