"""Every state that a page of a sale can show, brought about by what brings it about in the shop.

The states are those of the pages' specification; a press that is on its way has tests of its own.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.utils import timezone

from accounts.models import User
from flashsale import draining, recording, reservations, scheduling
from flashsale.models import Reservation, SaleItem
from flashsale.pauses import Why
from flashsale.stream import Entry
from flashsale.tests.conftest import attempt, let_the_deadline_pass, pay, win
from flashsale.tests.pages import address, change, payment_of
from flashsale.tests.staged import Cast, Staged
from flashsale.views_line import SALT


def _result(item: SaleItem) -> str:
    return address(item, "items", str(item.pk))


def _reservation(rid: str) -> str:
    return f"/sales/reservations/{rid}/"


def before(cast: Cast) -> Staged:
    """A sale that opens in a while, seen by somebody who has not logged in."""
    item = cast.make_sale(opens_at=timezone.now() + timedelta(minutes=20))
    return Staged(address(item), None, item.sale.title, "Enter the sale", looks_again=True)


def ready(cast: Cast) -> Staged:
    """What can be done before the opening."""
    item, (bea,) = cast.make_sale(opens_at=timezone.now() + timedelta(minutes=20)), cast.shoppers(1)
    return Staged(address(item, "ready"), bea, "Get ready", "Enter the address")


def login(cast: Cast) -> Staged:
    """Somebody who must log in to enter."""
    item = cast.make_sale()
    return Staged(f"/accounts/login/?next={address(item, 'enter')}", None, "Log in", "Log in")


def check(cast: Cast) -> Staged:
    """The check at the entry, with all its ways."""
    item, (bea,) = cast.make_sale(question="Which wood?", answers="Oak"), cast.shoppers(1)
    change(item.sale, captcha=True)
    return Staged(address(item, "enter"), bea, "Enter the sale", "Enter the sale")


def waiting(cast: Cast) -> Staged:
    """A place in line, its turn in more than a minute."""
    item, crowd = cast.make_sale(quantity=200, rate=1), cast.shoppers(100)
    attempt(item, *crowd)
    return Staged(_result(item), crowd[-1], "You are in line", "Leave the line", looks_again=True)


def turn(cast: Cast) -> Staged:
    """A turn that came while the shopper was away."""
    item, crowd = cast.make_sale(quantity=200, rate=1), cast.shoppers(30)
    attempt(item, *crowd)
    scheduling.set_rate(sale_id=item.sale_id, rate=None)
    return Staged(_result(item), crowd[-1], "Your turn", "Reserve now", unanswered="**/attempt")


def draw(cast: Cast) -> Staged:
    """A place in a draw that takes place at the opening."""
    opens_at = timezone.now() + timedelta(minutes=20)
    item, crowd = (
        cast.make_sale(quantity=90, rate=1, shuffle_at_open=True, opens_at=opens_at),
        cast.shoppers(9),
    )
    attempt(item, *crowd)
    return Staged(_result(item), crowd[-1], "You are in line", "Leave the line", looks_again=True)


def held_up(cast: Cast) -> Staged:
    """A place in a line that the shop has stopped."""
    item, crowd = cast.make_sale(quantity=200, rate=1), cast.shoppers(100)
    attempt(item, *crowd)
    scheduling.pause(sale_id=item.sale_id, why=Why("check", "Crates are being counted."))
    return Staged(_result(item), crowd[-1], "You are in line", "Leave the line", looks_again=True)


def full(cast: Cast) -> Staged:
    """A line that takes nobody more."""
    opens_at = timezone.now() + timedelta(minutes=20)
    item = cast.make_sale(quantity=20, rate=1, queue_limit=2, shuffle_at_open=True, opens_at=opens_at)
    bea, *crowd = cast.shoppers(3)
    attempt(item, *crowd)
    path = f"{_result(item)}?go={signing.dumps([bea.pk, item.pk], salt=SALT)}"
    return Staged(path, bea, "The line is full", "Try now", status=503, looks_again=True, entered=item)


def too_fast(cast: Cast) -> Staged:
    """A minute with more tries than anybody needs."""
    item, (ann, bea) = cast.make_sale(quantity=1), cast.shoppers(2)
    win(item, ann)
    for _ in range(2 * settings.ATTEMPTS_PER_MINUTE):
        attempt(item, bea)
    path = f"{_result(item)}?go={signing.dumps([bea.pk, item.pk], salt=SALT)}"
    return Staged(path, bea, "Too many tries", "Try again", status=429, entered=item)


def running(cast: Cast) -> Staged:
    """A running sale and somebody who has entered it."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    return Staged(address(item), bea, item.sale.title, "Reserve one for USD 49.00", entered=item)


def reserved(cast: Cast) -> Staged:
    """A unit with a deadline."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    (rid,) = win(item, bea)
    return Staged(_reservation(rid), bea, "It is yours until", "Say where it goes, and pay")


def preparing(cast: Cast) -> Staged:
    """A unit whose order is on its way."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    rid = attempt(item, bea)[0].rid
    return Staged(_reservation(rid), bea, "It is yours", "Check now", looks_again=True)


def paying(cast: Cast) -> Staged:
    """The bank is asked."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    (rid,) = win(item, bea)
    payment_of(rid, transaction_id="session-1")
    return Staged(
        _reservation(rid), bea, "Your bank is checking the payment", "Back to the payment", looks_again=True
    )


def failed(cast: Cast) -> Staged:
    """The bank has said no."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    (rid,) = win(item, bea)
    payment_of(rid, status="rejected")
    return Staged(_reservation(rid), bea, "The bank did not accept the payment", "Say where it goes, and pay")


def paid(cast: Cast) -> Staged:
    """A unit that is the shopper's for good."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    (rid,) = win(item, bea)
    pay(rid)
    return Staged(_reservation(rid), bea, "(Paid|Confirmed). Order", "View the order")


def standby(cast: Cast) -> Staged:
    """A place on standby."""
    item, (ann, bea) = cast.make_sale(quantity=1, standby_size=5), cast.shoppers(2)
    win(item, ann)
    attempt(item, bea)
    draining.drain_once(sale_id=item.sale_id)
    return Staged(_result(item), bea, "You are number 1 on standby", "Leave standby", looks_again=True)


def promoted(cast: Cast) -> Staged:
    """A unit that came free for the first on standby."""
    item, (ann, bea) = cast.make_sale(quantity=1, standby_size=5), cast.shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, bea)
    draining.drain_once(sale_id=item.sale_id)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    unit = Reservation.objects.get(user=bea)
    return Staged(_reservation(unit.rid), bea, "One came free: it is yours until", "Decline")


def expired(cast: Cast) -> Staged:
    """A deadline that has passed."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    (rid,) = win(item, bea)
    let_the_deadline_pass(rid)
    reservations.expire_due()
    return Staged(_reservation(rid), bea, "The time to pay ended at", "See what is still to be had")


def late(cast: Cast) -> Staged:
    """A deadline that has passed a moment ago: the unit is still held."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    (rid,) = win(item, bea)
    let_the_deadline_pass(rid)
    return Staged(_reservation(rid), bea, "The time to pay ended at", "Back to the sale", looks_again=True)


def passed_over(cast: Cast) -> Staged:
    """A promotion that the rules of the sale have refused."""
    item, (ann, bea) = cast.make_sale(quantity=1, standby_size=5), cast.shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, bea)
    User.objects.filter(pk=bea.pk).update(standing=User.Standing.BLOCKED)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    unit = Reservation.objects.get(user=bea)
    return Staged(_reservation(unit.rid), bea, "One came free and went to the next person", "Coming sales")


def lost(cast: Cast) -> Staged:
    """A place on standby, and a connection that has failed."""
    place = standby(cast)
    return replace(place, cut="**/gate/**", shows="[data-connection]")


def given_back(cast: Cast) -> Staged:
    """A unit that its shopper did not want any more."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    (rid,) = win(item, bea)
    reservations.give_back(user=bea, rid=rid)
    return Staged(_reservation(rid), bea, "You gave it back", "Back to the sale")


def displaced(cast: Cast) -> Staged:
    """A unit that was promised, and was not there when it was written down."""
    item, (ann, bea) = cast.make_sale(quantity=1), cast.shoppers(2)
    win(item, ann)
    late = Entry("1-1", "reserved", bea.pk, f"{item.pk}-1-9", 0, 600_000)
    recording.record(sale_id=item.sale_id, entries=[late])
    unit = Reservation.objects.get(user=bea)
    return Staged(_reservation(unit.rid), bea, "We promised one unit too many", "Coming sales")


def over(cast: Cast) -> Staged:
    """All units are paid: nobody stands by any more."""
    item, (ann, bea) = cast.make_sale(quantity=1, standby_size=5), cast.shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, bea)
    draining.drain_once(sale_id=item.sale_id)
    pay(rid)
    return Staged(_result(item), bea, "All are paid, standby is closed", "Coming sales")


def sold_out(cast: Cast) -> Staged:
    """Nothing is left, and standby is full."""
    item, (ann, bea) = cast.make_sale(quantity=1), cast.shoppers(2)
    win(item, ann)
    return Staged(_result(item), bea, "Sold out", "Coming sales")


def paused(cast: Cast) -> Staged:
    """The shop has stopped the sale for a while."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    scheduling.pause(sale_id=item.sale_id, why=Why("check", "Crates are being counted."))
    return Staged(_result(item), bea, "The sale is paused", "To the sale", looks_again=True)


def ended(cast: Cast) -> Staged:
    """The sale is over."""
    item, (bea,) = cast.make_sale(), cast.shoppers(1)
    scheduling.close_now(sale_id=item.sale_id)
    return Staged(_result(item), bea, "The sale has ended", "Coming sales")


def refused(cast: Cast) -> Staged:
    """The sale is not for this account, yet."""
    item, (bea,) = cast.make_sale(min_account_days=30), cast.shoppers(1)
    heading = "This sale does not let this account in"
    return Staged(address(item, "enter"), bea, heading, "Coming sales", status=403)


STATES: tuple[Callable[[Cast], Staged], ...] = (
    before,
    ready,
    login,
    check,
    waiting,
    draw,
    held_up,
    turn,
    full,
    too_fast,
    running,
    reserved,
    preparing,
    paying,
    failed,
    paid,
    standby,
    lost,
    promoted,
    given_back,
    displaced,
    late,
    expired,
    passed_over,
    over,
    sold_out,
    paused,
    ended,
    refused,
)
