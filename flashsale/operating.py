"""What an operator does to a sale, each answered with a sentence, and the figures he looks at."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import audit, pacing, scheduling, stock
from flashsale.errors import SaleError, Silent
from flashsale.models import Sale
from flashsale.words import hour, moment


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


def schedule(*, sale: Sale, by: User) -> str:
    """Schedule a draft and say so. Raises SchedulingError."""
    scheduling.schedule(sale=sale)
    audit.note(sale=sale, by=by, what=_("Scheduled."))
    units = sum(sale.items.values_list("quantity", flat=True))
    sentence = ngettext(
        "“%(sale)s” is scheduled: %(units)d unit has left ordinary stock. It opens %(time)s.",
        "“%(sale)s” is scheduled: %(units)d units have left ordinary stock. It opens %(time)s.",
        units,
    )
    return sentence % {"sale": sale.title, "units": units, "time": moment(sale.opens_at)}


def pause(*, sale: Sale, by: User) -> str:
    """Stop reserving and say how many hold a unit and how many wait. Raises SaleError.

    However old the page is: in an emergency nobody is sent back to read.
    """
    _refuse_unless_scheduled(sale)
    audit.note(sale=sale, by=by, what=_("Paused."))
    try:
        scheduling.pause(sale_id=sale.pk)
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
    return f"{said} {pacing.pause_effect(sale)}".strip()


def resume(*, sale: Sale, by: User, seen: int | None = None) -> str:
    """Let a paused sale go on and say when the last in line is served. Raises SaleError."""
    _refuse_unless_scheduled(sale)
    audit.claim(sale=sale, by=by, what=_("Resumed."), seen=seen)
    try:
        scheduling.resume(sale_id=sale.pk)
    except RedisError as error:
        sentence = _("“%(sale)s” stays paused: its memory does not answer. Try again when it does.")
        raise Silent(sentence % {"sale": sale.title}) from error
    said = _("“%(sale)s” goes on.") % {"sale": sale.title}
    return f"{said} {pacing.resume_effect(sale)}".strip()


def close(*, sale: Sale, by: User) -> str:
    """End a running sale before its time and say what follows. Raises SaleError."""
    try:
        scheduling.close_now(sale_id=sale.pk)
        audit.note(sale=sale, by=by, what=_("Ended before its time."))
    except RedisError as error:
        sentence = _(
            "“%(sale)s” has ended, but its memory does not answer. What is free returns to ordinary stock"
            " when it does."
        )
        raise Silent(sentence % {"sale": sale.title}) from error
    sentence = _("“%(sale)s” has ended. Whoever holds a unit keeps the deadline; free units return to stock.")
    return sentence % {"sale": sale.title}


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
