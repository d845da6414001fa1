"""The figures of a sale after it: who came, who got a unit, what became of it, and whether it was fair."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from flashsale import refusals
from flashsale.models import Entrance, Reservation, Sale, Sample, StandbyEntry
from flashsale.report import fairness
from flashsale.report.fairness import Groups, Speed
from flashsale.stock import TRIES
from shop.orders.models import Order

Status = Reservation.Status
AGES = (1, 7, 30, 90, 365)
ORDER = (Status.PAID, Status.HELD, Status.EXPIRED, Status.CANCELLED, Status.REFUSED, Status.DISPLACED)
"""What became of somebody with several reservations: the first of these that occurs."""
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel: people, of how many in the step before, and of how many in all."""

    name: str
    people: int
    of_step: int
    of_all: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says. Times in seconds after the opening, None for what did not happen."""

    sale: Sale
    last_hold: float | None
    last_payment: float | None
    funnel: list[Step]
    outcomes: dict[str, int]
    refused: dict[str, int]
    attempts_each: float | None
    tries: list[tuple[str, int]]
    units: dict[str, int]
    standby: dict[str, int]
    unpaid: tuple[int, int]
    revenue: int
    gini: tuple[float, float]
    groups: dict[str, Groups]
    arrival: Groups
    speed: Speed
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class _Person:
    user: int
    came_at: datetime | None
    network: str
    days: int
    level: int
    ended: str
    units: int


def gather(sale: Sale) -> Report:
    """Read everything once: some queries, whatever the crowd; people are counted in memory."""
    people = _people(sale)
    last = sale.samples.last()
    rows = Reservation.objects.filter(item__sale=sale)
    orders = Order.objects.filter(reservation__in=rows)
    ended = Counter(rows.values_list("status", flat=True))
    unpaid = ended[Status.EXPIRED] + ended[Status.CANCELLED]
    winners = [one for one in people if one.units]
    return Report(
        sale=sale,
        last_hold=_after(sale, rows.filter(promoted=False).aggregate(at=Max("reserved_at"))["at"]),
        last_payment=_after(sale, orders.aggregate(at=Max("paid_at"))["at"]),
        funnel=_funnel(people),
        outcomes=last.outcomes if last else {},
        refused=refusals.counted(outcomes=last.outcomes, refused=last.refused) if last else {},
        attempts_each=last.attempts / last.shoppers if last and last.shoppers else None,
        tries=list(zip(TRIES, last.tries, strict=True)) if last and last.tries else [],
        units=_units(sale),
        standby=dict(Counter(StandbyEntry.objects.filter(item__sale=sale).values_list("status", flat=True))),
        unpaid=(unpaid, unpaid + ended[Status.PAID]),
        revenue=orders.filter(reservation__status=Status.PAID).aggregate(sum=Sum("total"))["sum"] or 0,
        gini=fairness.gini((one.units for one in winners), len(people)),
        groups={
            "age": _groups(people, lambda one: age_words(one.days)),
            "level": _groups(people, lambda one: str(one.level)),
            "network": _crowding(people),
        },
        arrival=_by_arrival(people),
        speed=_speed(people),
        samples=list(sale.samples.all()),
    )


def _after(sale: Sale, at: datetime | None) -> float | None:
    return (at - sale.opens_at).total_seconds() if at else None


def _units(sale: Sale) -> dict[str, int]:
    names = ("quantity", "held", "paid", "returned")
    found = sale.items.aggregate(**{name: Sum(name, default=0) for name in names})
    found["free"] = found["quantity"] - found["held"] - found["paid"] - found["returned"]
    return {name: int(value) for name, value in found.items()}


def _people(sale: Sale) -> list[_Person]:
    """Everybody who entered, reserved or stood by; whoever came past the entry has no network."""
    came = {row[0]: row for row in Entrance.objects.filter(sale=sale).values_list("user", "at", "network")}
    ends: dict[int, list[str]] = {}
    for user, status in Reservation.objects.filter(item__sale=sale).values_list("user", "status"):
        ends.setdefault(user, []).append(status)
    waited = set(StandbyEntry.objects.filter(item__sale=sale).values_list("user", flat=True))
    everybody = came.keys() | ends.keys() | waited
    facts = User.objects.filter(pk__in=everybody) if len(everybody) < 30_000 else User.objects.all()
    known = {pk: (joined, level) for pk, joined, level in facts.values_list("pk", "date_joined", "level")}
    found = []
    for user in sorted(everybody):
        joined, level = known[user]
        _user, at, network = came.get(user, (user, None, ""))
        status = next((one for one in ORDER if one in ends.get(user, ())), "")
        units = sum(one not in (Status.REFUSED, Status.DISPLACED) for one in ends.get(user, ()))
        days = (sale.opens_at - joined).days
        found.append(
            _Person(user, at, network, days, level, status or ("standby" if user in waited else ""), units)
        )
    return found


def _funnel(people: list[_Person]) -> list[Step]:
    """People by what became of them; the parts of a step add up to it."""
    ends = Counter(one.ended for one in people)
    everybody = len(people)
    got = everybody - ends[""] - ends["standby"]
    words = {
        Status.PAID: _("paid"),
        Status.HELD: _("still hold it"),
        Status.EXPIRED: _("did not pay in time"),
        Status.CANCELLED: _("gave it back, or it was released"),
        Status.REFUSED: _("were passed over"),
        Status.DISPLACED: _("were displaced"),
    }
    top = [
        Step(_("came in"), everybody, everybody, everybody),
        Step(_("got a unit"), got, everybody, everybody),
        Step(_("only stood by"), ends["standby"], everybody, everybody),
        Step(_("got nothing"), ends[""], everybody, everybody),
    ]
    return top + [Step(words[one], ends[one], got, everybody) for one in ORDER]


def _groups(people: list[_Person], name: Callable[[_Person], str]) -> Groups:
    came = Counter(name(one) for one in people)
    return fairness.by_group(came, Counter(name(one) for one in people if one.units))


def age_words(age: int) -> str:
    """Name the group of an account that is so many days old."""
    for days in AGES:
        if age < days:
            return ngettext("under %(days)d day", "under %(days)d days", days) % {"days": days}
    return _("%(days)d days and more") % {"days": AGES[-1]}


def _crowding(people: list[_Person]) -> Groups:
    known = [one for one in people if one.network]
    came = Counter(one.network for one in known)
    return fairness.crowding(came, Counter(one.network for one in known if one.units))


def _came(people: list[_Person]) -> list[tuple[float, bool]]:
    return sorted((one.came_at.timestamp(), bool(one.units)) for one in people if one.came_at)


def _by_arrival(people: list[_Person]) -> Groups:
    """Tenths of those who entered, the earliest first, and how many of each got a unit."""
    came = _came(people)
    counted: dict[str, list[int]] = {}
    for place, (_at, has_unit) in enumerate(came):
        tenth = counted.setdefault(str(1 + place * TENTHS // len(came)), [0, 0])
        tenth[0] += 1
        tenth[1] += has_unit
    return fairness.by_group(
        {name: one[0] for name, one in counted.items()}, {name: one[1] for name, one in counted.items()}
    )


def _speed(people: list[_Person]) -> Speed:
    came = _came(people)
    return fairness.speed([at for at, has in came if has], [at for at, has in came if not has])
