"""What the live page says of a sale, figure by figure, each with a word of judgement. Times in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Avg, Count, Max, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from flashsale import pacing, refusals, sampling
from flashsale.cockpit.scales import number, share
from flashsale.errors import Silent
from flashsale.models import Reservation, Sale, Sample
from flashsale.pacing import Line
from flashsale.words import instant, span
from shop import money
from shop.orders.models import Order

Status = Reservation.Status
PACE_OVER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Look:
    """Everything known of a sale at one instant; `now_sample` is None where its memory is silent."""

    sale: Sale
    at: datetime
    now_sample: Sample | None
    past: Sequence[Sample]
    line: Line | None

    @property
    def rates(self) -> list[tuple[float, float]]:
        """(time, attempts a second) between each two looks."""
        return rates([(one.at.timestamp(), one.attempts) for one in self.past])


def rates(counted: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return (time, how much a second) from (time, how much so far); a count that fell gives none."""
    found = []
    for (before, low), (at, high) in pairwise(counted):
        if at - before >= 0.2 and high >= low:
            found.append((at, (high - low) / (at - before)))
    return found


def look(sale: Sale) -> Look:
    """Look at a sale: the present from both stores, the past from what was sampled."""
    try:
        sample, line = sampling.look(sale), pacing.look(sale)
    except (RedisError, Silent):
        sample = line = None
    past = list(sale.samples.order_by("-at", "-pk")[: sampling.SHOWN])[::-1]
    return Look(sale, timezone.now(), sample, past, line)


def units(look: Look) -> dict[str, Any]:
    """The sum that everybody can check, the badge, and standby below the line."""
    items = list(look.sale.items.all())
    rows = {"quantity": sum(item.quantity for item in items)}
    for name in ("free", "held", "paid", "returned"):
        rows[name] = sum(getattr(item, name) for item in items)
    one = look.now_sample
    shown = {name: getattr(one, name) for name in rows if name != "quantity"} if one else dict(rows)
    shown["quantity"] = sum(shown[name] for name in ("free", "held", "paid", "returned"))
    values = {name: number(value) for name, value in shown.items()}
    sentence = _(
        "quantity %(quantity)s = free %(free)s + held %(held)s + paid %(paid)s + returned %(returned)s"
    )
    badge, state = _badge(one, rows, shown)
    return {"sum": sentence % values, "badge": badge, "state": state, **_standby(look, shown)}


def _badge(one: Sample | None, rows: dict[str, int], shown: dict[str, int]) -> tuple[str, str]:
    if one is None:
        return _("The sale's memory does not answer: these are the figures of PostgreSQL."), "down"
    if shown == rows:
        return _("adds up in both stores"), "ok"
    if shown["quantity"] != rows["quantity"]:
        return _("The stores differ in the quantity: the worker brings it within seconds."), "slow"
    behind = sum(abs(rows[name] - shown[name]) for name in ("held", "paid", "returned"))
    values = {"count": number(behind), "seconds": round(one.oldest_unrecorded / 1000)}
    sentence = ngettext(
        "PostgreSQL is %(count)s unit behind (%(seconds)d s).",
        "PostgreSQL is %(count)s units behind (%(seconds)d s).",
        behind,
    )
    return sentence % values, "slow"


def _standby(look: Look, shown: dict[str, int]) -> dict[str, str]:
    if not look.sale.standby_size or look.now_sample is None:
        return {}
    waiting, places = look.now_sample.standby, look.sale.standby_size * look.sale.items.count()
    words = _("standby %(waiting)s of %(places)s") % {"waiting": number(waiting), "places": number(places)}
    alarm = ""
    if shown["free"] and waiting and look.sale.items.count() == 1:
        alarm = _("Units are free while people stand by: run reconcile.")
    return {"standby": words, "alarm": alarm}


def when(look: Look) -> list[tuple[str, str]]:
    """State, opening and end, the forecast, and the last chance."""
    sale = look.sale
    found = [
        (_("Opens"), both_zones(sale.opens_at)),
        (_("Ends"), both_zones(sale.closes_at)),
        (_("All held"), _forecast(look)),
    ]
    held = Reservation.objects.filter(item__sale=sale, status=Status.HELD)
    last = held.aggregate(last=Max("pay_by"))["last"]
    words = instant(min(last, sale.closes_at)) if last else _("nobody holds a unit now")
    return [*found, (_("Last deadline that can free a unit"), words)]


def both_zones(at: datetime) -> str:
    """Return an instant in the shop's own zone and, where that is another one, in UTC."""
    own, utc = timezone.localtime(at), at.astimezone(UTC)
    said = f"{own:%d.%m.%Y %H:%M:%S} {own.tzname()}"
    return said if own.utcoffset() == utc.utcoffset() else f"{said} ({utc:%d.%m. %H:%M:%S} UTC)"


def _forecast(look: Look) -> str:
    one = look.now_sample
    if one is None:
        return _("unknown: the memory is silent")
    if look.sale.phase == "coming":
        return _("not open yet")
    if not one.free:
        first = next((sample.at for sample in look.past if not sample.free), None)
        return _("since %(time)s") % {"time": instant(first)} if first else _("since before the first look")
    recent = [sample for sample in look.past if sample.at >= one.at - PACE_OVER]
    if len(recent) < 2 or recent[0].free <= one.free:
        return _("unknown: none was taken in the last %(seconds)d s") % {"seconds": PACE_OVER.seconds}
    pace = (recent[0].free - one.free) / max(1.0, (one.at - recent[0].at).total_seconds())
    at = look.at + timedelta(seconds=one.free / pace)
    return _("at about %(time)s, as it goes now") % {"time": instant(at)}


def flow(look: Look) -> list[tuple[str, str]]:
    """Attempts a second, and the line."""
    found = look.rates
    cut = look.at.timestamp() - 60
    minute = [rate for at, rate in found if at >= cut]
    fresh = found[-1][1] if found and found[-1][0] >= look.at.timestamp() - 4 else 0.0
    peak = max(found, key=lambda pair: pair[1], default=(0.0, 0.0))
    words = [
        (_("Attempts a second now"), _rate(fresh)),
        (_("in the last minute"), _rate(sum(minute) / len(minute)) if minute else "0"),
        (_("peak"), _at(peak)),
    ]
    return [*words, *_line(look)]


def _rate(a_second: float) -> str:
    """A slow crowd is no empty one: what would be rounded to none is told with a digit more."""
    return f"{a_second:.2f}" if 0 < a_second < 0.95 else number(a_second)


def _at(peak: tuple[float, float]) -> str:
    if not peak[1]:
        return "0"
    return _("%(rate)s at %(time)s") % {
        "rate": _rate(peak[1]),
        "time": instant(datetime.fromtimestamp(peak[0], UTC)),
    }


def _line(look: Look) -> list[tuple[str, str]]:
    line = look.line
    if line is None:
        return [(_("Line"), _("nobody ever waits: there is no admission rate"))]
    recent = [one for one in look.past if one.at >= look.at - timedelta(seconds=10)]
    reached = rates([(one.at.timestamp(), one.served) for one in (recent[:1] + recent[-1:])])
    return [
        (_("Tickets issued"), number(line.queue.tickets)),
        (_("now serving"), number(line.served)),
        (_("waiting"), number(line.waiting)),
        (_("rate set"), pacing.pace(line.queue.rate)),
        (
            _("rate reached"),
            pacing.pace(round(reached[0][1])) if reached and reached[0][1] else _("nobody was served"),
        ),
        (_("turn of the last in line"), line.last_turn() if line.waiting else _("nobody waits")),
    ]


def refused(look: Look) -> list[tuple[str, str]]:
    """How often each limit refused; while the memory is silent, as often as was seen last."""
    one = look.now_sample or (look.past[-1] if look.past else None)
    if one is None:
        return [(_("Entry"), _("unknown: the memory is silent"))]
    names = refusals.words()
    counted = refusals.counted(outcomes=one.outcomes, refused=one.refused)
    return [(names[name], number(count)) for name, count in counted.items()]


def takings(look: Look) -> list[tuple[str, str]]:
    """Paid orders, revenue, deadlines about to end, and the share that was not paid."""
    rows = Reservation.objects.filter(item__sale=look.sale)
    paid = Order.objects.filter(reservation__in=rows.filter(status=Status.PAID))
    sums = paid.aggregate(count=Count("pk"), revenue=Sum("total"), average=Avg("total"))
    held = rows.filter(status=Status.HELD)
    within = [held.filter(pay_by__lte=look.at + timedelta(minutes=minutes)).count() for minutes in (1, 5, 10)]
    ended = rows.aggregate(
        unpaid=Count("pk", Q(status__in=[Status.EXPIRED, Status.CANCELLED])),
        paid=Count("pk", Q(status=Status.PAID)),
    )
    return [
        (_("Paid orders"), number(sums["count"])),
        (_("revenue"), money.draw(sums["revenue"] or 0)),
        (_("average"), money.draw(round(sums["average"] or 0))),
        (_("Deadlines that end within 1, 5 and 10 minutes"), ", ".join(number(count) for count in within)),
        (_("Not paid so far"), share(ended["unpaid"], ended["unpaid"] + ended["paid"])),
    ]


def age(look: Look) -> str:
    """How old the figures of the charts are."""
    if not look.past:
        return _("Nothing was sampled yet.")
    return _("Last change %(ago)s ago.") % {"ago": span(look.at - look.past[-1].at)}
