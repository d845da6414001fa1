"""What a rehearsal showed: its figures, and what is to be changed before the sale, in sentences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from flashsale.cockpit.scales import number, share
from flashsale.models import Sale

SLOW_MS, LOST_SHARE = 1_000, 0.001
LAG_SECONDS = 10.0
FULL_SHARE = 0.05
TRIES_SHARE = 0.005
SURE = 3.0
"""Standard deviations above what is tolerated before bots are said to win too much: a hundred units that are
drawn by lot give them twice their part now and then."""
LATE_SECONDS = 2.0
FARM_SHARE, FINE = 0.1, 10
SHORT_TO_PAY = 120
"""Seconds; below that a keyboard-only first-timer does not finish."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured. Times in seconds unless named otherwise; -1 for what did not happen.

    `human_units`, `bot_units`: units reserved by each. `still_waiting`: people who were in line when the time
    was over. `tried_too_often`: answers to people, not bots, that they slow down. `found_full`: people whose
    last answer was that the line is full. `late`: by how much one person in twenty came later than he meant.
    `farm`: accounts of one shopper, in so many `browsers` of one network; `farm_in` of them and `others_in`
    of the others were let in.
    """

    people: int
    bots: int
    seconds: float
    answers: int
    peak_answers: int
    pages: int
    page_p95_ms: float
    p50_ms: float
    p99_ms: float
    lost: int
    human_units: int
    bot_units: int
    quantity: int
    sold_out_after: float
    refusals: dict[str, int]
    tried_too_often: int
    bot_tries_refused: int
    found_full: int
    still_waiting: int
    queue_peak: int
    store_calls: int
    orders: int
    peak_orders: int
    lag: float
    paid: int
    expired: int
    promoted: int
    turned_away: int
    standby_peak: int
    stores_agree: bool
    paid_within: int
    worker_was_away: bool = False
    late: float = 0.0
    farm: int = 0
    browsers: int = 0
    farm_in: int = 0
    farm_units: int = 0
    farm_tries: int = 0
    farm_slowed: int = 0
    others_in: int = 0

    def document(self) -> dict[str, Any]:
        """Everything as JSON, to be kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence; `is_good` says whether the setting may stay. `name` is for tests and links."""

    name: str
    is_good: bool
    sentence: str


def findings(sale: Sale, seen: Outcome) -> list[Finding]:
    """Judge the settings of a sale by what its rehearsal showed."""
    judged = (_units, _crowd, _bots, _farm, _tries, _full, _line, _lag, _standby, _speed, _time_to_pay)
    return [one for judge in judged if (one := judge(sale, seen)) is not None]


def verdict(found: Sequence[Finding]) -> str:
    """Say in one sentence whether the sale is ready."""
    bad = sum(not one.is_good for one in found)
    return _("Ready: nothing has to be changed.") if not bad else _("Not ready: see what to change below.")


def _units(_sale: Sale, seen: Outcome) -> Finding:
    taken = seen.human_units + seen.bot_units + seen.farm_units
    if seen.stores_agree and seen.paid <= seen.quantity:
        sentence = _(
            "%(taken)s reservations of %(quantity)s units; both stores agree and nothing was sold twice."
        )
    else:
        sentence = _(
            "The stores do not agree after %(taken)s reservations of %(quantity)s units: run reconcile."
        )
    return Finding(
        "units", seen.stores_agree, sentence % {"taken": number(taken), "quantity": number(seen.quantity)}
    )


def _crowd(_sale: Sale, seen: Outcome) -> Finding | None:
    """People who press late because a busy computer plays them lose to bots: that is no setting."""
    if seen.late <= LATE_SECONDS:
        return None
    sentence = _(
        "One person in twenty came %(late)s s or more later than meant: the computer that plays the crowd is"
        " too busy, so who got the units says little. Rehearse again when it is idle, or from another one."
    )
    return Finding("crowd", False, sentence % {"late": f"{seen.late:.1f}"})


def _bots(_sale: Sale, seen: Outcome) -> Finding | None:
    taken, everybody = seen.bot_units + seen.human_units, seen.bots + seen.people
    if not seen.bots or not taken or seen.late > LATE_SECONDS:
        return None
    got, came = seen.bot_units / taken, seen.bots / everybody
    values = {
        "limit": number(settings.ATTEMPTS_PER_MINUTE),
        "got": share(seen.bot_units, taken),
        "came": share(seen.bots, everybody),
    }
    tolerated = min(1.0, 2 * came + 0.02)
    if got > tolerated + SURE * sqrt(tolerated * (1 - tolerated) / taken):
        sentence = _(
            "Bots are %(came)s of the shoppers and got %(got)s of the units: the limit of %(limit)s attempts"
            " per minute does not hold them. Ask for a captcha, draw lots at the opening, or lower the limit."
        )
        return Finding("bots", False, sentence % values)
    sentence = _(
        "Bots are %(came)s of the shoppers and got %(got)s of the units, not clearly more than twice their"
        " part: so much comes of being there early."
    )
    if got <= came:
        sentence = _(
            "The limit of %(limit)s attempts per minute cut the bots, %(came)s of the shoppers, to %(got)s of"
            " the units."
        )
    return Finding("bots", True, sentence % values)


def _farm(_sale: Sale, seen: Outcome) -> Finding | None:
    if not seen.farm:
        return None
    others, units = seen.people + seen.bots, seen.human_units + seen.bot_units
    factor = seen.others_in / others * seen.farm / max(1, seen.farm_in)
    equal = units * seen.farm / others
    values = {
        "farm": number(seen.farm),
        "farm_in": number(seen.farm_in),
        "others": number(others),
        "others_in": number(seen.others_in),
        "factor": f"{factor:.1f}" if factor < FINE else number(factor),
        "units": number(seen.farm_units),
        "equal": number(equal),
    }
    sentence = _(
        "Of a farm's %(farm)s accounts %(farm_in)s were let in, of %(others)s others %(others_in)s: it is"
        " slowed by a factor of %(factor)s. It got %(units)s units, as many others %(equal)s."
    )
    if seen.farm_units > FARM_SHARE * equal:
        sentence += " " + _("Its few were first: draw lots at the opening, or ask for proof of work.")
        return Finding("farm", False, sentence % values)
    return Finding("farm", True, sentence % values)


def _tries(_sale: Sale, seen: Outcome) -> Finding:
    values = {"count": number(seen.tried_too_often), "limit": number(settings.ATTEMPTS_PER_MINUTE)}
    if seen.tried_too_often > TRIES_SHARE * seen.people:
        sentence = _(
            "%(count)s people were told to slow down: the limit of %(limit)s attempts per minute is too low."
        )
        return Finding("tries", False, sentence % values)
    return Finding(
        "tries", True, _("The limit of %(limit)s attempts per minute stood in nobody's way.") % values
    )


def _full(sale: Sale, seen: Outcome) -> Finding | None:
    if not sale.queue_limit:
        return None
    values = {"count": number(seen.found_full), "limit": number(sale.queue_limit)}
    if seen.found_full > FULL_SHARE * seen.people:
        sentence = _("%(count)s people found the line of %(limit)s full: make it longer.")
        return Finding("full", False, sentence % values)
    return Finding("full", True, _("The line of %(limit)s was long enough.") % values)


def _line(sale: Sale, seen: Outcome) -> Finding | None:
    if not sale.rate:
        return None
    values = {"rate": number(sale.rate), "count": number(seen.still_waiting), "peak": number(seen.queue_peak)}
    if seen.still_waiting and seen.sold_out_after < 0:
        sentence = _(
            "At %(rate)s a second %(count)s people still waited and units were left: raise the rate."
        )
        return Finding("line", False, sentence % values)
    return Finding(
        "line", True, _("At %(rate)s a second the line left no unit over; at most %(peak)s waited.") % values
    )


def _lag(_sale: Sale, seen: Outcome) -> Finding:
    values = {"lag": f"{seen.lag:.1f}"}
    if seen.lag > min(LAG_SECONDS, seen.paid_within / 2):
        sentence = _("Orders lag %(lag)s s behind: raise ORDER_BATCH_SIZE, or start more workers.")
        if seen.worker_was_away:
            sentence = _(
                "Orders lag %(lag)s s behind, recorded by the rehearsal beside its crowd: start a worker and"
                " rehearse again."
            )
        return Finding("lag", False, sentence % values)
    return Finding(
        "lag", True, _("Every order was there %(lag)s s after its reservation at the latest.") % values
    )


def _standby(sale: Sale, seen: Outcome) -> Finding | None:
    if not seen.expired:
        return None
    values = {
        "expired": number(seen.expired),
        "away": number(seen.turned_away),
        "promoted": number(seen.promoted),
    }
    if not sale.standby_size and seen.turned_away:
        sentence = _(
            "%(expired)s units were not paid in time while %(away)s people had been sent away: give standby"
            " places."
        )
        return Finding("standby", False, sentence % values)
    sentence = _("%(expired)s units were not paid in time; %(promoted)s went to somebody on standby.")
    return Finding("standby", True, sentence % values)


def _speed(_sale: Sale, seen: Outcome) -> Finding:
    values = {"p99": number(seen.p99_ms), "lost": number(seen.lost), "peak": number(seen.peak_answers)}
    if seen.p99_ms > SLOW_MS or seen.lost > LOST_SHARE * max(1, seen.answers):
        sentence = _(
            "One answer in a hundred took %(p99)s ms or more and %(lost)s never came: start more gates."
        )
        return Finding("speed", False, sentence % values)
    sentence = _("99 of 100 answers came within %(p99)s ms, at up to %(peak)s a second.")
    return Finding("speed", True, sentence % values)


def _time_to_pay(sale: Sale, _seen: Outcome) -> Finding | None:
    if sale.pay_within >= SHORT_TO_PAY:
        return None
    sentence = _(
        "%(seconds)d seconds to pay are too few for somebody who types an address: give at least two minutes."
    )
    return Finding("time to pay", False, sentence % {"seconds": sale.pay_within})
