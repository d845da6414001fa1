"""Was a sale fair? Tests that find what is not chance, and do not cry wolf.

A test speaks at p < 0.001: a report asks four questions, and a fair sale is suspected once in 250 reports.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

ALPHA = 0.001
LEAST_EXPECTED = 5.0
REST = "…"
"""The group into which those are gathered that are too small to be judged alone."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Who came and who got a unit, by group; `p` is None where there is too little to judge."""

    rows: Sequence[tuple[str, int, int]]
    p: float | None

    @property
    def is_suspect(self) -> bool:
        """Whether chance alone would hardly share the units so."""
        return self.p is not None and self.p < ALPHA


@dataclass(frozen=True, slots=True)
class Speed:
    """In which share of pairs (got a unit, got none) the one with a unit came first; 0.5 is a fair draw."""

    share: float
    p: float | None

    @property
    def decided(self) -> bool:
        """Whether coming earlier helped, beyond chance."""
        return self.p is not None and self.p < ALPHA and self.share > 0.5


def by_group(came: Mapping[str, int], got: Mapping[str, int]) -> Groups:
    """Compare each group's share of the units with its share of those who came (Pearson's chi-square).

    Groups of which fewer than five would be expected to get (or not to get) a unit are judged together.
    """
    everybody, winners = sum(came.values()), sum(got.values())
    rows = [(name, count, got.get(name, 0)) for name, count in came.items()]
    if not 0 < winners < everybody:
        return Groups(rows, None)
    rate = winners / everybody
    rarer = min(rate, 1 - rate)
    large = [row for row in rows if row[1] * rarer >= LEAST_EXPECTED]
    small = [row for row in rows if row[1] * rarer < LEAST_EXPECTED]
    rest = (REST, sum(row[1] for row in small), sum(row[2] for row in small))
    judged = [*large, rest] if rest[1] * rarer >= LEAST_EXPECTED else large
    if len(judged) < 2:
        return Groups(rows, None)
    # Within what is judged: otherwise a rest that is left out would shift all others.
    rate = sum(row[2] for row in judged) / sum(row[1] for row in judged)
    if not 0 < rate < 1:
        return Groups(rows, None)
    statistic = sum((won - count * rate) ** 2 / (count * rate * (1 - rate)) for _name, count, won in judged)
    return Groups(rows, chi_square_p(statistic, len(judged) - 1))


def chi_square_p(statistic: float, freedom: int) -> float:
    """Return how likely chance gives at least this (Wilson and Hilferty: within a fifth at p = 0.001)."""
    if statistic <= 0:
        return 1.0
    spread = 2 / (9 * freedom)
    return 1 - NormalDist().cdf(((statistic / freedom) ** (1 / 3) - (1 - spread)) / sqrt(spread))


def crowding(came: Mapping[str, int], got: Mapping[str, int]) -> Groups:
    """Compare many small groups at once: are the units of networks more clumped than chance would clump them?

    Pairs of winners in one group are counted, and compared with how many chance would give, by the exact mean
    and variance of a draw without replacement.
    """
    everybody, winners = sum(came.values()), sum(got.values())
    rows = sorted(((name, count, got.get(name, 0)) for name, count in came.items()), key=lambda row: -row[2])
    pairs = sum(count * (count - 1) for count in came.values()) / 2
    shared = sum(count * (count - 1) * (count - 2) for count in came.values())
    two, three, four = (_all_win(many, winners, everybody) for many in (2, 3, 4))
    expected = pairs * two
    if expected < LEAST_EXPECTED or winners == everybody:
        return Groups(rows, None)
    # Two pairs are the same one, or have one person in common, or none.
    variance = expected + shared * three + (pairs * pairs - pairs - shared) * four - expected**2
    seen = sum(won * (won - 1) for won in got.values()) / 2
    return Groups(rows, 1 - NormalDist().cdf((seen - expected) / sqrt(variance)) if variance > 0 else None)


def _all_win(many: int, winners: int, everybody: int) -> float:
    """How likely so many people all have a unit, where chance gave them out."""
    chance = 1.0
    for place in range(many):
        chance *= max(0, winners - place) / max(1, everybody - place)
    return chance


def speed(winners: Sequence[float], others: Sequence[float]) -> Speed:
    """Compare when those came who got a unit with when the others came (Mann and Whitney's test)."""
    if not winners or not others:
        return Speed(0.5, None)
    ranks, ties = _ranks([*winners, *others])
    mine, theirs, everybody = len(winners), len(others), len(winners) + len(others)
    later = sum(ranks[:mine]) - mine * (mine + 1) / 2
    share = 1 - later / (mine * theirs)
    spread = mine * theirs / 12 * ((everybody + 1) - ties / (everybody * (everybody - 1)))
    if min(mine, theirs) < LEAST_EXPECTED or spread <= 0:
        return Speed(share, None)
    distance = abs(later - mine * theirs / 2) / sqrt(spread)
    return Speed(share, 2 * (1 - NormalDist().cdf(distance)))


def _ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """Return the rank of each value, equal ones sharing theirs, and the correction for ties."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    ranks, ties, first = [0.0] * len(values), 0.0, 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in order[first : last + 1]:
            ranks[place] = (first + last) / 2 + 1
        ties += (last - first + 1) ** 3 - (last - first + 1)
        first = last + 1
    return ranks, ties


def gini(units: Iterable[int], everybody: int) -> tuple[float, float]:
    """Return how unevenly units are shared (0: all alike, 1: one has all), and the least that was possible.

    `units` are those of whoever got some; with fewer units than people nobody can share them evenly.
    """
    held = sorted(units)
    total = sum(held)
    if not total or everybody < 1:
        return 0.0, 0.0
    zeros = everybody - len(held)
    weighted = sum((zeros + place) * count for place, count in enumerate(held, 1))
    found = 2 * weighted / (everybody * total) - (everybody + 1) / everybody
    each, more = divmod(total, everybody)
    even = Counter({each: everybody - more, each + 1: more})
    low = sum(place * each for place in range(1, even[each] + 1))
    high = sum(place * (each + 1) for place in range(even[each] + 1, everybody + 1))
    return found, 2 * (low + high) / (everybody * total) - (everybody + 1) / everybody
