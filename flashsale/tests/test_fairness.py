"""The tests of fairness find what was put in, and do not cry wolf over many seeds."""

import random
from collections import Counter

import pytest

from flashsale.report import fairness

PEOPLE, UNITS, SEEDS = 2_000, 400, 200


def drawn(seed: int, weights: list[float]) -> set[int]:
    """Draw winners without replacement, by weight (Efraimidis and Spirakis)."""
    draw = random.Random(seed)
    keys = sorted(
        ((draw.random() ** (1 / weight), person) for person, weight in enumerate(weights)), reverse=True
    )
    return {person for _key, person in keys[:UNITS]}


def groups_of(seed: int, *, favoured: float = 1.0) -> fairness.Groups:
    names = [random.Random(f"{seed}-{person}").choice("abcde") for person in range(PEOPLE)]
    won = drawn(seed, [favoured if name == "a" else 1.0 for name in names])
    return fairness.by_group(Counter(names), Counter(names[person] for person in won))


def networks_of(seed: int, *, clumped: bool = False) -> fairness.Groups:
    names = [f"10.0.{person // 8}.0/24" for person in range(PEOPLE)]
    weights = [4.0 if clumped and (person // 8) % 10 == 0 else 1.0 for person in range(PEOPLE)]
    won = drawn(seed, weights)
    return fairness.crowding(Counter(names), Counter(names[person] for person in won))


def speed_of(seed: int, *, early: float = 1.0) -> fairness.Speed:
    draw = random.Random(f"arrivals {seed}")
    came = [draw.expovariate(1) for _ in range(PEOPLE)]
    middle = sorted(came)[PEOPLE // 2]
    won = drawn(seed, [early if at < middle else 1.0 for at in came])
    return fairness.speed(
        [at for person, at in enumerate(came) if person in won],
        [at for person, at in enumerate(came) if person not in won],
    )


@pytest.mark.parametrize("test", [groups_of, networks_of])
def test_a_fair_crowd_is_not_suspected(test: object) -> None:
    suspected = sum(test(seed).is_suspect for seed in range(SEEDS))  # type: ignore[operator]
    assert suspected <= 2


def test_a_fair_crowd_was_not_decided_by_speed() -> None:
    assert sum(speed_of(seed).decided for seed in range(SEEDS)) <= 2


def test_a_favoured_group_is_found() -> None:
    assert sum(groups_of(seed, favoured=2.5).is_suspect for seed in range(20)) >= 19


def test_networks_that_got_more_are_found() -> None:
    assert sum(networks_of(seed, clumped=True).is_suspect for seed in range(20)) >= 19


def test_a_sale_that_speed_decided_is_found() -> None:
    assert sum(speed_of(seed, early=2.0).decided for seed in range(20)) >= 19
    assert not speed_of(1, early=0.5).decided


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"),
    [(3.841, 1, 0.05), (10.828, 1, 0.001), (9.488, 4, 0.05), (18.467, 4, 0.001)],
)
def test_the_chi_square_agrees_with_its_table(statistic: float, freedom: int, p: float) -> None:
    assert fairness.chi_square_p(statistic, freedom) == pytest.approx(p, rel=0.2)


def test_too_little_is_not_judged() -> None:
    assert fairness.by_group({"a": 2, "b": 2}, {"a": 1}).p is None
    assert fairness.by_group({"a": 100}, {"a": 100}).p is None
    assert fairness.by_group({}, {}).p is None
    assert fairness.crowding({"a": 1, "b": 1}, {"a": 1}).p is None
    assert fairness.speed([], [1.0]).p is None
    assert fairness.speed([1.0] * 20, [1.0] * 20).p is None


@pytest.mark.parametrize(
    ("units", "everybody", "found", "least"),
    [
        ([1, 1, 1, 1], 4, 0.0, 0.0),
        ([4], 4, 0.75, 0.0),
        ([1], 2, 0.5, 0.5),
        ([], 3, 0.0, 0.0),
        ([1, 1], 4, 0.5, 0.5),
    ],
)
def test_the_gini_of_luck(units: list[int], everybody: int, found: float, least: float) -> None:
    assert fairness.gini(units, everybody) == pytest.approx((found, least))
