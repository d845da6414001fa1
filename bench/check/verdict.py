"""All predicates over one history."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bench.check import money, people, queue, telling, units, worlds
from bench.check.events import Event
from bench.check.history import History

Predicate = Callable[[History], Iterable[str]]
PREDICATES: dict[str, Predicate] = {
    "I1": units.adds_up,
    "I2": units.stores_agree,
    "I3": units.never_oversold,
    "I4": people.nobody_is_forgotten,
    "I5": people.nobody_unasked,
    "I6": people.one_live_reservation,
    "I7": people.only_with_a_pass,
    "I8": queue.first_come_first_served,
    "I9": units.standby_moves_up,
    "I10": units.a_release_frees_once,
    "I11": money.paid_or_released,
    "I12": telling.one_outcome_each,
    "I13": telling.one_mail_each,
    "I14": money.deadlines_hold,
    "I15": worlds.no_way_back,
    "I16": worlds.closed_is_closed,
    "I17": worlds.everything_heals,
    "I18": queue.sold_out_is_true,
}


class Violation(NamedTuple):
    """One broken promise: which predicate, and what was found."""

    predicate: str
    sentence: str


def check(events: Sequence[Event]) -> list[Violation]:
    """Judge a history. Raises HistoryError where there is nothing to judge."""
    history = History(events)
    return [
        Violation(name, sentence) for name, predicate in PREDICATES.items() for sentence in predicate(history)
    ]
