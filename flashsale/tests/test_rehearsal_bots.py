"""What a rehearsal says of bots is of the settings: neither chance nor a busy computer is blamed on them."""

import random
from dataclasses import replace

import pytest

from flashsale.models import Sale
from flashsale.rehearsal import verdict
from flashsale.rehearsal.people import AT_OPENING
from flashsale.rehearsal.verdict import Finding, Outcome
from flashsale.tests.test_rehearsal import GOOD

SEEDS = 500
PEOPLE, BOTS, UNITS = 380, 20, 60


def of_bots(seen: Outcome) -> Finding | None:
    return {one.name: one for one in verdict.findings(Sale(), seen)}.get("bots")


def drawn(seed: int, weight: int = 1) -> Outcome:
    """Draw units among bots, all of whom come before the opening, and the people who do."""
    draw = random.Random(seed)
    early = sum(draw.random() < AT_OPENING for _ in range(PEOPLE))
    lots = ["bot"] * BOTS * weight + ["person"] * early
    won = min(BOTS, draw.sample(lots, UNITS).count("bot"))
    return replace(GOOD, people=PEOPLE, bots=BOTS, bot_units=won, human_units=UNITS - won)


def flagged(weight: int = 1) -> int:
    found = [of_bots(drawn(seed, weight)) for seed in range(SEEDS)]
    return sum(one is not None and not one.is_good for one in found)


def test_lots_that_fell_to_bots_by_chance_are_not_blamed_on_the_settings() -> None:
    assert flagged() == 0


def test_without_the_margin_chance_would_be_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "SURE", 0.0)
    assert flagged() > SEEDS // 50


def test_bots_that_count_eight_times_are_found() -> None:
    assert flagged(weight=8) >= SEEDS * 0.95


def test_a_busy_computer_is_said_and_nothing_of_the_bots() -> None:
    seen = replace(GOOD, bot_units=60, human_units=40, late=verdict.LATE_SECONDS + 1)
    found = {one.name: one for one in verdict.findings(Sale(), seen)}
    assert "bots" not in found
    assert not found["crowd"].is_good
    assert "One person in twenty came 3.0 s or more later than meant" in found["crowd"].sentence
    assert not (judged := of_bots(replace(seen, late=0.0))) or not judged.is_good


@pytest.mark.parametrize(
    ("bot_units", "start"),
    [(3, "The limit of"), (9, "Bots are 5.0 % of the shoppers and got 9.0 % of the units, not clearly")],
)
def test_only_bots_that_got_less_than_their_part_were_cut(bot_units: int, start: str) -> None:
    found = of_bots(replace(GOOD, bot_units=bot_units, human_units=100 - bot_units))
    assert found is not None
    assert found.is_good
    assert found.sentence.startswith(start)
