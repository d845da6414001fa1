"""Why nobody, or who, was promoted: the history of one item's standby, from the rows and the store."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from flashsale import standby, stock
from flashsale.eligibility import Code
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry
from flashsale.replies import ItemStatus
from flashsale.words import moment

Status = Reservation.Status
Place = StandbyEntry.Status


@dataclass(frozen=True, slots=True)
class History:
    """What became of an item's places, and how often a unit came free; `units` is None without the store."""

    item: SaleItem
    units: ItemStatus | None
    places: Counter[str]
    came_free: int
    promoted: int
    refusals: Counter[str] = field(default_factory=Counter)
    chance: datetime | None = None

    @property
    def waiting(self) -> int:
        """How many wait, by the store where it answers."""
        return self.units.standby if self.units else self.places[Place.WAITING]


def of(*, sale: Sale) -> list[History]:
    """Look at every item of a sale; a store that is away leaves its figures unknown."""
    items = list(sale.items.all())
    try:
        status = stock.run(stock.status(sale.pk, [item.pk for item in items]))
    except RedisError:
        status = None
    return [_history(item, status.items.get(item.pk) if status else None) for item in items]


def _history(item: SaleItem, units: ItemStatus | None) -> History:
    ended = Reservation.objects.filter(
        item=item, status__in=[Status.EXPIRED, Status.CANCELLED, Status.REFUSED]
    )
    refused = ended.filter(status=Status.REFUSED, promoted=True)
    promoted = Reservation.objects.filter(item=item, promoted=True).exclude(status=Status.REFUSED)
    return History(
        item=item,
        units=units,
        places=Counter(StandbyEntry.objects.filter(item=item).values_list("status", flat=True)),
        came_free=ended.count(),
        promoted=promoted.count(),
        refusals=Counter(refused.values_list("refusal", flat=True)),
        chance=standby.latest_chance(item),
    )


def why(history: History) -> list[str]:
    """Say in sentences what happened and what can still happen."""
    places = sum(history.places.values())
    if not history.item.sale.standby_size and not places:
        return [_("This sale has no standby.")]
    if not places and not history.waiting:
        return [_("Nobody has been on standby.")]
    return [*_alarm(history), *_past(history), *_to_come(history)]


def _alarm(history: History) -> list[str]:
    if history.units is None:
        return [_("The sale's memory does not answer: who waits now is known from the rows only.")]
    if history.units.free and history.units.standby:
        sentence = _("%(free)d free beside %(waiting)d on standby: this must not be. Run reconcile.")
        return [sentence % {"free": history.units.free, "waiting": history.units.standby}]
    return []


def _past(history: History) -> list[str]:
    if not history.came_free:
        return [_("No unit has come free: everybody paid or still holds one.")]
    said = ngettext(
        "A unit came free %(free)d time, %(promoted)d of it for somebody on standby.",
        "A unit came free %(free)d times, %(promoted)d of them for somebody on standby.",
        history.came_free,
    ) % {"free": history.came_free, "promoted": history.promoted + sum(history.refusals.values())}
    sentences = [said, *(_refusal(code, count) for code, count in sorted(history.refusals.items()))]
    alone = history.came_free - history.promoted - sum(history.refusals.values())
    if alone > 0:
        sentence = ngettext(
            "%(n)d time nobody was on standby, or the sale was over.",
            "%(n)d times nobody was on standby, or the sale was over.",
            alone,
        )
        sentences.append(sentence % {"n": alone})
    return sentences


def _refusal(code: str, count: int) -> str:
    reasons = {
        Code.BLOCKED: _("blocked"),
        Code.CLOSED: _("account closed"),
        Code.TOO_YOUNG: _("account too young"),
        Code.LEVEL: _("level too low"),
        Code.NOT_LISTED: _("not on the list"),
        Code.NOT_VERIFIED: _("e-mail address not confirmed"),
    }
    sentence = ngettext(
        "%(n)d was passed over by %(code)s: %(reason)s.",
        "%(n)d were passed over by %(code)s: %(reason)s.",
        count,
    )
    return sentence % {"n": count, "code": code, "reason": reasons.get(Code(code), "")}


def _to_come(history: History) -> list[str]:
    item, closed = history.item, history.places[Place.CLOSED]
    values = {"n": closed, "time": moment(item.sale.closes_at)}
    if item.sale.phase == "ended":
        sentence = _("The sale ended %(time)s: what comes free since then returns to ordinary stock.")
        return [sentence % values]
    if item.quantity == item.paid + item.returned:
        sentence = ngettext(
            "All are paid, standby is closed; %(n)d was told.",
            "All are paid, standby is closed; %(n)d were told.",
            closed,
        )
        return [sentence % values]
    if history.waiting and history.chance:
        return [_("A unit can come free until %(time)s.") % {"time": moment(history.chance)}]
    return [] if history.waiting else [_("Nobody is on standby now.")]
