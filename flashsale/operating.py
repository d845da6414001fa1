"""What an operator does to a sale, each answered with a sentence, and the figures he looks at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import audit, pacing, pauses, scheduling, stock, transfers
from flashsale.errors import SaleError, Silent
from flashsale.models import Pause, Reservation, Sale, SaleItem, Transfer
from flashsale.pauses import Why
from flashsale.words import hour, instant, moment
from shop.orders import endings
from shop.orders.errors import NotCancellable


@dataclass(frozen=True, slots=True)
class Units:
    """Units of a whole sale in one store; `standby` is outside the sum."""

    quantity: int
    free: int
    held: int
    paid: int
    returned: int
    standby: int = 0

    @property
    def sums(self) -> tuple[int, int, int, int, int]:
        """Quantity, and the free, held, paid and returned units that make it up."""
        return self.quantity, self.free, self.held, self.paid, self.returned


def schedule(*, sale: Sale, by: User, seen: int | None = None) -> str:
    """Schedule a draft and say so. Raises SaleError."""
    scheduling.schedule(sale=sale, seen=seen)
    audit.note(sale=sale, by=by, what=_("Scheduled."), before="draft", after="scheduled")
    units = sum(sale.items.values_list("quantity", flat=True))
    sentence = ngettext(
        "“%(sale)s” is scheduled: %(units)d unit has left ordinary stock. It opens %(time)s.",
        "“%(sale)s” is scheduled: %(units)d units have left ordinary stock. It opens %(time)s.",
        units,
    )
    return sentence % {"sale": sale.title, "units": units, "time": moment(sale.opens_at)}


def pause(*, sale: Sale, by: User, why: Why = pauses.NOTHING_SAID) -> str:
    """Stop reserving and say how many hold a unit and how many wait. Raises SaleError.

    However old the page is: in an emergency nobody is sent back to read.
    """
    _refuse_unless_scheduled(sale)
    audit.note(sale=sale, by=by, what=_("Paused."), before=sale.phase, after="paused", reason=_said(why))
    try:
        scheduling.pause(sale_id=sale.pk, why=why)
    except RedisError as error:
        raise Silent(
            _(
                "“%(sale)s” is marked as paused, but its memory does not answer. Nobody can reserve until it"
                " does, and then the pause holds."
            )
            % {"sale": sale.title}
        ) from error
    sentence = ngettext(
        "“%(sale)s” was paused at %(time)s. %(held)d shopper holds a unit; that deadline goes on.",
        "“%(sale)s” was paused at %(time)s. %(held)d shoppers hold a unit; their deadlines go on.",
        (held := sum(sale.items.values_list("held", flat=True))),
    )
    said = sentence % {"sale": sale.title, "time": hour(timezone.now()), "held": held}
    return " ".join(part for part in (said, pacing.pause_effect(sale), _promised(sale)) if part)


def _said(why: Why) -> str:
    return pauses.sentence(Pause(reason=why.reason, words=why.words))


def _promised(sale: Sale) -> str:
    row = Pause.objects.filter(sale=sale, ended_at=None).last()
    sentence = _("Shoppers are told that you say more by %(time)s.")
    return sentence % {"time": instant(row.news_at)} if row else ""


def explain(*, sale: Sale, why: Why, by: User, seen: int | None = None) -> str:
    """Say why a sale is paused and when there is news; one that still runs is paused. Raises SaleError."""
    if not sale.paused:
        return pause(sale=sale, by=by, why=why)
    _refuse_unless_scheduled(sale)
    row = Pause.objects.filter(sale=sale, ended_at=None).last()
    before = instant(row.news_at) if row else ""
    after = instant(why.news_at) if why.news_at else ""
    what = _("Said more about the pause.")
    audit.claim(sale=sale, by=by, what=what, seen=seen, before=before, after=after, reason=_said(why))
    _reach_store(sale, partial(scheduling.explain, sale_id=sale.pk, why=why))
    return f"{_('Every open page shows it.')} {_promised(sale)}".strip()


def resume(*, sale: Sale, by: User, seen: int | None = None) -> str:
    """Let a paused sale go on and say when the last in line is served. Raises SaleError."""
    _refuse_unless_scheduled(sale)
    audit.claim(sale=sale, by=by, what=_("Resumed."), seen=seen, before="paused", after="running")
    try:
        scheduling.resume(sale_id=sale.pk)
    except RedisError as error:
        sentence = _("“%(sale)s” stays paused: its memory does not answer. Try again when it does.")
        raise Silent(sentence % {"sale": sale.title}) from error
    said = _("“%(sale)s” goes on.") % {"sale": sale.title}
    return f"{said} {pacing.resume_effect(sale)}".strip()


def close(*, sale: Sale, by: User, seen: int | None = None) -> str:
    """End a running sale before its time and say what follows. Raises SaleError."""
    before = sale.phase
    if before in ("draft", "ended"):
        raise SaleError(_("Only a scheduled sale that has not ended can be closed."))
    what = _("Ended before its time.")
    audit.claim(sale=sale, by=by, what=what, seen=seen, before=before, after="ended")
    try:
        scheduling.close_now(sale_id=sale.pk)
    except RedisError as error:
        sentence = _(
            "“%(sale)s” has ended, but its memory does not answer. What is free returns to ordinary stock"
            " when it does."
        )
        raise Silent(sentence % {"sale": sale.title}) from error
    sentence = _("“%(sale)s” has ended. Whoever holds a unit keeps the deadline; free units return to stock.")
    return sentence % {"sale": sale.title}


def open_now(*, sale: Sale, by: User, seen: int | None = None) -> str:
    """Open a coming sale before its time. Raises SaleError."""
    now = timezone.now()
    if sale.phase != "coming":
        raise SaleError(_("“%(sale)s” is not waiting to open.") % {"sale": sale.title})
    values = {"before": instant(sale.opens_at), "after": instant(now)}
    audit.claim(sale=sale, by=by, what=_("Opened before its time."), seen=seen, **values)
    _reach_store(sale, partial(scheduling.move, sale_id=sale.pk, opens_at=now))
    return _("“%(sale)s” is open since %(time)s.") % {"sale": sale.title, "time": values["after"]}


def move_end(*, sale: Sale, closes_at: datetime, by: User, seen: int | None = None) -> str:
    """End a sale later, or earlier but in the future. Raises SaleError."""
    _refuse_unless_scheduled(sale)
    if closes_at <= timezone.now():
        raise SaleError(_("This time has passed. To end the sale now, end it."))
    values = {"before": instant(sale.closes_at), "after": instant(closes_at)}
    what = _("End: %(before)s → %(after)s.") % values
    audit.claim(sale=sale, by=by, what=what, seen=seen, **values)
    _reach_store(sale, partial(scheduling.move, sale_id=sale.pk, closes_at=closes_at))
    return _("“%(sale)s” ends %(time)s.") % {"sale": sale.title, "time": values["after"]}


def add_units(*, item: SaleItem, units: int, by: User, seen: int | None = None) -> str:
    """Move units from ordinary stock into a sale and say to whom they go. Raises SaleError."""
    sale = item.sale
    _refuse_unless_scheduled(sale)
    _refuse_rehearsal(sale)
    if not 1 <= units <= item.variant.stock:
        sentence = _("Only %(stock)d of %(variant)s are in ordinary stock.")
        raise SaleError(sentence % {"stock": item.variant.stock, "variant": item.variant})
    values = {"before": item.quantity, "after": item.quantity + units}
    what = _("Units of %(variant)s: %(before)d → %(after)d.") % {"variant": item.variant, **values}
    audit.claim(sale=sale, by=by, what=what, seen=seen, **values)
    _reach_store(sale, partial(scheduling.add_units, item_id=item.pk, units=units))
    sentence = ngettext("%(n)d unit was added.", "%(n)d units were added.", units)
    return f"{sentence % {'n': units}} {_('Standby gets them first.')}"


def take_units(*, item: SaleItem, units: int, by: User, seen: int | None = None) -> str:
    """Take units that are still free out of a sale, back into ordinary stock. Raises SaleError.

    What shoppers win in this very moment stays theirs: then fewer come back, and the answer says so.
    """
    sale = item.sale
    _refuse_unless_scheduled(sale)
    _refuse_rehearsal(sale)
    transfers.check(item=item, units=units)
    values = {"before": item.quantity, "after": item.quantity - units}
    what = _("Units of %(variant)s: %(before)d → %(after)d.") % {"variant": item.variant, **values}
    audit.claim(sale=sale, by=by, what=what, seen=seen, **values)
    transfer = transfers.send(item=item, units=units)
    _reach_store(sale, partial(transfers.go_on, transfer=transfer))
    transfer.refresh_from_db()
    taken = transfer.units if transfer.state == Transfer.State.STOCK else 0
    sentence = ngettext(
        "%(n)d unit is back in ordinary stock.", "%(n)d units are back in ordinary stock.", taken
    )
    said = sentence % {"n": taken}
    if taken == units:
        return said
    what = _("Fewer units were free than asked for.")
    audit.note(sale=sale, by=by, what=what, before=values["after"], after=values["before"] - taken)
    return f"{said} {_('The others were taken by shoppers in that moment.')}"


def _refuse_rehearsal(sale: Sale) -> None:
    if sale.rehearsal_of_id is not None:
        raise SaleError(_("This is a rehearsal: its units are not in ordinary stock."))


def release(*, row: Reservation, reason: str, by: User) -> str:
    """Take one unit back from whoever holds it, for a reason. Raises SaleError."""
    sale, values = row.item.sale, {"rid": row.rid, "email": row.user.email}
    if row.status != Reservation.Status.HELD or row.order is None:
        raise SaleError(_("%(rid)s is not held any more. Nothing was done.") % values)
    if not reason.strip():
        raise SaleError(_("Give a reason: it stands in the audit log."))
    try:
        endings.cancel(order=row.order)
    except NotCancellable as error:
        raise SaleError(str(error)) from error
    what = _("Released %(rid)s of %(email)s.") % values
    audit.note(sale=sale, by=by, what=what, before=row.get_status_display(), after="released", reason=reason)
    return _("%(rid)s of %(email)s was released: the unit goes to the next on standby.") % values


def _reach_store(sale: Sale, act: Callable[[], object]) -> None:
    """Do it in both stores; where the memory is silent, say that it follows. Raises Silent."""
    try:
        act()
    except RedisError as error:
        sentence = _("“%(sale)s” is changed, and its memory follows as soon as it answers again.")
        raise Silent(sentence % {"sale": sale.title}) from error


def _refuse_unless_scheduled(sale: Sale) -> None:
    if sale.phase in ("draft", "ended"):
        raise SaleError(_("“%(sale)s” is not running and not about to.") % {"sale": sale.title})


def rows_figures(sale: Sale) -> dict[int, Units]:
    """Return the figures of PostgreSQL, by item."""
    return {
        item.pk: Units(item.quantity, item.free, item.held, item.paid, item.returned)
        for item in sale.items.all()
    }


def store_figures(sale: Sale) -> dict[int, Units] | None:
    """Return the figures of the sale's memory, by item; None if it does not know the sale. Raises Silent."""
    try:
        status = stock.run(stock.status(sale.pk, [item.pk for item in sale.items.all()]))
    except RedisError as error:
        raise Silent(_("The sale's memory does not answer.")) from error
    if status is None:
        return None
    return {
        pk: Units(one.quantity, one.free, one.held, one.paid, one.returned, one.standby)
        for pk, one in status.items.items()
    }
