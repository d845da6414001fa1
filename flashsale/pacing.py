"""What an operator sees of a sale's line, and what a new rate does to it, said in words."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import audit, queue, scheduling, stock
from flashsale.errors import SaleError, Silent
from flashsale.models import Sale
from flashsale.queue import Queue, Segment
from flashsale.words import instant, span

EXAMPLE = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """The line at one look: the store's time (ms), how it is served, and whether the sale is paused."""

    now: int
    queue: Queue
    is_paused: bool

    @property
    def served(self) -> int:
        """How many tickets have been served."""
        return self.queue.served(self.now)

    @property
    def waiting(self) -> int:
        """How many tickets have not been served yet."""
        return self.queue.tickets - self.served

    def time(self) -> str:
        """Return when this look was taken, to the second."""
        return _instant(self.now)

    def last_turn(self) -> str:
        """Return when the last in line is served, as things stand."""
        return _turn(self.queue.turn_at(self.queue.tickets))

    def last_turn_at(self, rate: int | None) -> str:
        """Return when the last in line would be served at this rate from now on."""
        segment = Segment(self.now, self.served, rate)
        return _turn(queue.turn_at([*self.queue.schedule, segment], self.queue.tickets))


def _instant(at: int) -> str:
    return instant(datetime.fromtimestamp(at / 1000, UTC))


def _turn(at: int) -> str:
    return _instant(at) if at else _("unknown while it is paused")


def number(count: int) -> str:
    """Return a number in full digits, grouped: 12,431."""
    return number_format(count, force_grouping=True)


def pace(rate: int | None) -> str:
    """Return a rate in words: `200 a second` or `no limit`."""
    return _("%(rate)s a second") % {"rate": number(rate)} if rate else _("no limit")


def result(sale: Sale) -> str:
    """Say what the rate of a sale comes to: who is served at once, and how late a late one."""
    if not sale.rate:
        return _("No limit: everybody is served at once and nobody waits in line.")
    most = sale.rate + int((sale.closes_at - sale.opens_at).total_seconds() * sale.rate)
    values = {
        "rate": number(sale.rate),
        "example": number(EXAMPLE),
        "wait": span(timedelta(seconds=(EXAMPLE - sale.rate) / sale.rate)),
        "most": number(most),
    }
    at_once = ngettext(
        "%(rate)s a second: the first one is served at once.",
        "%(rate)s a second: the first %(rate)s are served at once.",
        sale.rate,
    )
    later = _("The %(example)sth is served about %(wait)s after the opening.") if sale.rate < EXAMPLE else ""
    at_most = _("Until the sale closes at most %(most)s people are served.")
    return " ".join(sentence % values for sentence in (at_once, later, at_most) if sentence)


def look(sale: Sale) -> Line | None:
    """Look at the line of a sale; None where nobody ever waits in one. Raises Silent."""
    try:
        status = stock.run(stock.status(sale.pk, []))
    except RedisError as error:
        raise Silent(_("The sale's memory does not answer.")) from error
    if status is None or status.queue is None:
        return None
    return Line(status.now, status.queue, status.paused)


def _look_or_not(sale: Sale) -> Line | None:
    """Look where the deed is done: a memory that fell silent after it only leaves something unsaid."""
    try:
        return look(sale)
    except Silent:
        return None


def waiting(sale: Sale) -> int:
    """How many wait in line; 0 where nobody does, or the memory does not tell."""
    line = _look_or_not(sale)
    return line.waiting if line else 0


def effects(line: Line, sale: Sale, rate: int | None) -> list[str]:
    """Say what another rate would do to those who wait; each sentence stands by itself."""
    if line.waiting == 0:
        return [_("Nobody waits in line now. It counts for whoever comes.")]
    found = [_waiting(line), _before_and_after(line, sale, rate)]
    at = [*line.queue.schedule, Segment(line.now, line.served, rate)]
    late = line.queue.tickets - queue.served(at, int(sale.closes_at.timestamp() * 1000))
    if late > 0:
        sentence = ngettext(
            "The sale closes %(time)s, before %(late)s of them is served.",
            "The sale closes %(time)s, before %(late)s of them are served.",
            late,
        )
        found.append(sentence % {"time": instant(sale.closes_at), "late": number(late)})
    return found


def _waiting(line: Line) -> str:
    sentence = ngettext("%(count)s person waits in line.", "%(count)s people wait in line.", line.waiting)
    return sentence % {"count": number(line.waiting)}


def _before_and_after(line: Line, sale: Sale, rate: int | None) -> str:
    if line.is_paused:
        sentence = _("Last in line, if the sale goes on now: %(before)s → %(after)s.")
        before = line.last_turn_at(sale.rate)
    else:
        sentence, before = _("Last in line: %(before)s → %(after)s."), line.last_turn()
    return sentence % {"before": before, "after": line.last_turn_at(rate)}


def pause_effect(sale: Sale) -> str:
    """Say who keeps his place through a pause; nothing where nobody waits."""
    line = _look_or_not(sale)
    if line is None or line.waiting == 0:
        return ""
    sentence = ngettext(
        "%(count)s person waits in line and keeps the place.",
        "%(count)s people wait in line and keep their places.",
        line.waiting,
    )
    return sentence % {"count": number(line.waiting)}


def resume_effect(sale: Sale) -> str:
    """Say when the last in line is served if the sale goes on now; nothing where nobody waits."""
    line = _look_or_not(sale)
    if line is None or line.waiting == 0:
        return ""
    sentence = ngettext(
        "%(count)s person waits in line; at %(pace)s the last is served %(time)s.",
        "%(count)s people wait in line; at %(pace)s the last is served %(time)s.",
        line.waiting,
    )
    values = {"count": number(line.waiting), "pace": pace(sale.rate), "time": line.last_turn_at(sale.rate)}
    return sentence % values


def refuse_unless_open(sale: Sale) -> None:
    """Raise SaleError unless the sale has opened and not ended; before that its rate stands on its form."""
    if sale.phase not in ("running", "paused"):
        sentence = _("“%(sale)s” is not running. Before it opens, its rate is changed on its form.")
        raise SaleError(sentence % {"sale": sale.title})


def set_rate(*, sale: Sale, rate: int | None, by: User, seen: int | None) -> str:
    """Serve so many a second from now on and say what it did. Raises SaleError; see `audit.claim`."""
    refuse_unless_open(sale)
    before, values = _look_or_not(sale), {"before": pace(sale.rate), "after": pace(rate)}
    what = _("Rate: %(before)s → %(after)s.") % values
    audit.claim(sale=sale, by=by, what=what, seen=seen, **values)
    values = {"sale": sale.title, "pace": pace(rate), "time": instant(timezone.now())}
    try:
        scheduling.set_rate(sale_id=sale.pk, rate=rate)
    except RedisError as error:
        sentence = _("“%(sale)s” is to serve %(pace)s, and does as soon as its memory answers again.")
        raise Silent(sentence % values) from error
    said = _("“%(sale)s” serves %(pace)s since %(time)s.") % values
    return f"{said} {_before_and_after(before, sale, rate)}" if before and before.waiting else said
