"""Any order of what shoppers, banks, clocks and operators do: both stores add up, nobody pays for nothing."""

from collections.abc import Callable
from contextlib import suppress
from itertools import product

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.models import User
from flashsale import draining, reconcile, reservations, scheduling, stock
from flashsale.errors import SchedulingError
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.tests.conftest import (
    MakeSale,
    MakeShoppers,
    attempt,
    is_clean,
    let_the_deadline_pass,
    units,
    win,
)
from shop.catalogue.models import Variant
from shop.orders import payment, refunds
from shop.orders.errors import Refused
from shop.orders.models import Order, OutboxMail, Payment
from shop.orders.payment import Report

pytestmark = pytest.mark.django_db(transaction=True)
UNITS, CROWD, LONGEST = 2, 5, 6
Act = Callable[["Story"], object]


class Story:
    """One unit, somebody who holds it with a payment that was begun, and somebody who stands by."""

    def __init__(self, item: SaleItem, ann: User, ben: User) -> None:
        self.item, self.ann, self.ben = item, ann, ben
        (self.rid,) = win(item, ann)
        attempt(item, ben)
        draining.drain_once(sale_id=item.sale_id)
        self.order = Order.objects.get(reservation__rid=self.rid)
        self.payment = payment.start(order=self.order, variant="dummy")

    def webhook(self) -> None:
        """The bank says that it has the money."""
        payment.hear(Report(self.payment.token, "confirmed", self.payment.amount, self.payment.currency))

    def deadline(self) -> None:
        """The time to pay is over and the sweep comes by."""
        let_the_deadline_pass(self.rid)
        reservations.expire_due()

    def cancel(self) -> None:
        """The shopper gives the unit back."""
        with suppress(Refused):
            reservations.give_back(user=self.ann, rid=self.rid)

    def promote(self) -> None:
        """A worker records what the store has decided, such as a promotion."""
        draining.drain_once(sale_id=self.item.sale_id)

    def end(self) -> None:
        """All that was begun is done."""
        reservations.tell_store()
        self.promote()
        refunds.send_due()


ACTS: dict[str, Act] = {"D": Story.deadline, "W": Story.webhook, "C": Story.cancel, "P": Story.promote}


MOST = {"D": 1, "W": 2, "C": 1, "P": 2}


def orders_of_acts() -> list[str]:
    """Every order of at most six acts: one deadline, one cancel, two webhooks, two looks of the workers."""
    words = ("".join(word) for length in range(1, LONGEST + 1) for word in product(ACTS, repeat=length))
    return [word for word in words if all(word.count(act) <= most for act, most in MOST.items())]


def check_money(story: Story) -> None:
    """The unit is somebody's, once; whoever paid has it, or has the money back and a mail that says so."""
    row = Reservation.objects.get(rid=story.rid)
    paid = Payment.objects.get(pk=story.payment.pk)
    owners = Reservation.objects.filter(item=story.item, status__in=["held", "paid"])
    assert owners.count() == 1
    assert owners.get().user in ((story.ann,) if row.status in ("held", "paid") else (story.ben,))
    if paid.settled_at is None:
        assert row.status != "paid"
    elif row.status == "paid":
        assert (paid.status, paid.captured) == ("confirmed", paid.amount)
    else:
        assert (paid.status, paid.captured) == ("refunded", 0)
        assert OutboxMail.objects.filter(ref=paid.token, kind="refunded", to=story.ann.email).count() == 1
    assert is_clean(story.item)


def test_all_interleavings_are_tried() -> None:
    longest = [word for word in orders_of_acts() if len(word) == LONGEST]
    assert len(longest) == 180  # 6! / (2! 2!)
    assert {"DWCPWP", "WDPCWP", "CWWDPP"} <= set(longest)


@pytest.mark.slow
@pytest.mark.parametrize("first", list(ACTS))
def test_all_interleavings_of_a_unit_to_length_6(
    make_sale: MakeSale, shoppers: MakeShoppers, first: str
) -> None:
    words = [word for word in orders_of_acts() if word[0] == first]
    for word in words:
        story = Story(make_sale(quantity=1, standby_size=2), *shoppers(2))
        for letter in word:
            ACTS[letter](story)
        story.end()
        check_money(story)


class Machine(RuleBasedStateMachine):
    """A sale on both real stores, to which anything may happen at any time."""

    begin: Callable[[], tuple[SaleItem, list[User]]]

    def __init__(self) -> None:
        super().__init__()
        self.item, self.crowd = self.begin()
        self.sale = self.item.sale_id
        self.quantity, self.all = UNITS, UNITS + self.spare()
        self.users = st.integers(0, CROWD - 1)

    def spare(self) -> int:
        return Variant.objects.get(pk=self.item.variant_id).stock

    def held(self, number: int) -> Reservation | None:
        return Reservation.objects.filter(item=self.item, user=self.crowd[number], status="held").first()

    @rule(number=st.integers(0, CROWD - 1), again=st.booleans())
    def attempt(self, number: int, again: bool) -> None:
        user = self.crowd[number]
        first, *more = attempt(self.item, *([user, user] if again else [user]))
        assert all(
            (one.outcome, one.rid, one.pay_by) == (first.outcome, first.rid, first.pay_by) for one in more
        )

    @rule()
    def drain(self) -> None:
        draining.drain_once(sale_id=self.sale)

    @rule(number=st.integers(0, CROWD - 1), times=st.integers(1, 3), late=st.booleans())
    def pay(self, number: int, times: int, late: bool) -> None:
        row = self.held(number)
        if row is None or row.order is None:
            return
        begun = payment.start(order=row.order, variant="dummy")
        if late:
            let_the_deadline_pass(row.rid)
            reservations.expire_due()
        for _ in range(times):
            payment.hear(Report(begun.token, "confirmed", begun.amount, begun.currency))

    @rule(number=st.integers(0, CROWD - 1))
    def give_back(self, number: int) -> None:
        row = self.held(number)
        if row is not None:
            reservations.give_back(user=self.crowd[number], rid=row.rid)

    @rule(number=st.integers(0, CROWD - 1))
    def expire(self, number: int) -> None:
        row = self.held(number)
        if row is not None:
            let_the_deadline_pass(row.rid)
        reservations.expire_due()

    @rule(number=st.integers(0, CROWD - 1))
    def decline(self, number: int) -> None:
        stock.run(stock.leave(self.sale, self.item.pk, user=self.crowd[number].pk))

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        (scheduling.pause if paused else scheduling.resume)(sale_id=self.sale)

    @rule(more=st.integers(1, 4))
    def add_units(self, more: int) -> None:
        if more > self.spare():
            with pytest.raises(SchedulingError):
                scheduling.add_units(item_id=self.item.pk, units=more)
        else:
            scheduling.add_units(item_id=self.item.pk, units=more)
            self.quantity += more

    @rule()
    def rebuild(self) -> None:
        assert reconcile.rebuild(sale_id=self.sale).is_clean

    @invariant()
    def the_store_adds_up(self) -> None:
        assert sum(units(self.item)) == self.quantity
        assert min(units(self.item)) >= 0
        found = stock.run(stock.members(self.sale, self.item.pk))
        assert len(found.holders) == units(self.item)[1]
        assert not (found.standby and units(self.item)[0])
        everybody = {*found.holders, *found.owners, *found.standby}
        assert stock.run(stock.users(self.sale, self.item.pk)) == everybody, "whom no gate may refuse unasked"

    @invariant()
    def the_rows_add_up(self) -> None:
        item = SaleItem.objects.get(pk=self.item.pk)
        rows = Reservation.objects.filter(item=item)
        assert item.quantity == self.quantity == self.all - self.spare()
        assert rows.filter(status="held").count() == item.held
        assert rows.filter(status="paid").count() == item.paid
        assert not rows.filter(status="displaced").exists()

    def teardown(self) -> None:
        draining.drain_once(sale_id=self.sale)
        reservations.tell_store()
        draining.drain_once(sale_id=self.sale)
        refunds.send_due()
        assert is_clean(self.item)
        settled = Payment.objects.filter(order__reservation__item=self.item, settled_at__isnull=False)
        for one in settled.select_related("order"):
            assert (one.status == "refunded") == (one.order.status != "paid") or one.captured == 0
        Sale.objects.filter(pk=self.sale).update(state=Sale.State.CLOSED)


@pytest.mark.slow
def test_any_sequence_keeps_both_stores_in_step(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    Machine.begin = lambda _self: (make_sale(quantity=UNITS, standby_size=2, limit=2), shoppers(CROWD))  # type: ignore[assignment, misc]
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
