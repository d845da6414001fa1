"""What money means: the order is paid in time or the money goes back, whatever a provider says and when."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from payments import PaymentStatus

from shop.catalogue.models import Variant
from shop.orders import endings, holds, payment, payment_states, refunds
from shop.orders.errors import NotCancellable, NotPayable
from shop.orders.models import Order, OutboxMail, Payment, ProviderEvent
from shop.orders.payment import Report
from shop.orders.stock_hold import StockHold
from shop.orders.tests.conftest import make_order
from shop.orders.tests.threads import at_once

ENDED = {"cancelled", "expired"}


def begin(order: Order) -> Payment:
    return payment.start(order=order, variant="dummy")


def confirmed(row: Payment, **other: Any) -> Report:
    values: dict[str, Any] = {
        "token": row.token,
        "status": "confirmed",
        "amount": row.amount,
        "currency": "usd",
        **other,
    }
    return Report(**values)


def mails() -> list[str]:
    return list(OutboxMail.objects.order_by("pk").values_list("kind", flat=True))


def test_money_in_time_pays_the_order(lamp: Variant) -> None:
    order = make_order(lamp)
    row = payment.hear(confirmed(begin(order)))
    order.refresh_from_db()
    row.refresh_from_db()
    assert (order.status, order.paid_at is None) == ("paid", False)
    assert (row.status, row.captured, row.refund_next_try_at) == ("confirmed", 5390, None)
    assert mails() == ["paid"]


def test_a_second_press_goes_on_with_the_same_payment(lamp: Variant) -> None:
    order = make_order(lamp)
    assert begin(order) == begin(order)
    assert order.payments.count() == 1


def test_money_after_the_deadline_is_sent_back_and_told(lamp: Variant) -> None:
    order = make_order(lamp)
    row = begin(order)
    Order.objects.filter(pk=order.pk).update(pay_by=timezone.now() - timedelta(seconds=1))
    payment.hear(confirmed(row))
    assert refunds.send_due() == 1
    order.refresh_from_db()
    row.refresh_from_db()
    assert (order.status, row.status, row.captured, row.refund_next_try_at) == (
        "awaiting_payment",
        "refunded",
        0,
        None,
    )
    assert mails() == ["refunded"]
    assert OutboxMail.objects.get().context["amount"] == 5390


def test_a_late_order_cannot_be_paid_any_more(lamp: Variant) -> None:
    order = make_order(lamp, pay_by=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotPayable):
        begin(order)
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("wrong", [{"amount": 1}, {"amount": 5391}, {"currency": "eur"}])
def test_another_amount_or_currency_does_not_pay(lamp: Variant, wrong: dict[str, object]) -> None:
    order = make_order(lamp)
    row = payment.hear(confirmed(begin(order), **wrong))
    order.refresh_from_db()
    row.refresh_from_db()
    assert order.status == "awaiting_payment"
    assert row.captured == wrong.get("amount", 5390)
    assert row.refund_next_try_at is not None


def test_of_two_payments_the_second_is_sent_back(lamp: Variant) -> None:
    order = make_order(lamp)
    first = begin(order)
    first.change_status(PaymentStatus.REJECTED)
    second = begin(order)
    payment.hear(confirmed(second))
    payment.hear(confirmed(first))
    order.refresh_from_db()
    assert order.status == "paid"
    assert [(row.pk, row.refund_next_try_at is None) for row in order.payments.order_by("pk")] == [
        (first.pk, False),
        (second.pk, True),
    ]
    assert mails() == ["paid", "refunded"]


def test_units_that_are_gone_already_send_the_money_back(
    lamp: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(StockHold):
        def pay(self, **_: Order) -> bool:
            return False

        def release(self, **_: Order) -> None:
            raise AssertionError

    monkeypatch.setitem(holds._holds, "sale", Gone())
    order = make_order(lamp, hold="sale")
    payment.hear(confirmed(begin(order)))
    order.refresh_from_db()
    assert (order.status, mails()) == ("awaiting_payment", ["refunded"])


def test_a_refund_that_fails_is_tried_again_until_it_is_done(
    lamp: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order(lamp, status="cancelled")
    row = Payment.objects.create(order=order, variant="dummy", currency="USD", total="53.90")
    payment.hear(confirmed(row))
    with monkeypatch.context() as patch:
        patch.setattr("payments.dummy.DummyProvider.refund", _unreachable)
        assert refunds.send_due() == 0
    row.refresh_from_db()
    assert (row.status, row.refund_tries) == ("confirmed", 1)
    assert refunds.send_due() == 0
    Payment.objects.update(refund_next_try_at=timezone.now())
    assert refunds.send_due() == 1
    row.refresh_from_db()
    assert row.status == "refunded"


def _unreachable(*_: object) -> None:
    raise OSError("the provider is not there")


def test_every_state_has_its_row_and_refunded_is_the_end() -> None:
    names = {name for name, _text in PaymentStatus.CHOICES}
    assert set(payment_states.FORWARD) == names
    assert {was for was, after in payment_states.FORWARD.items() if not after} == {"refunded"}


def test_no_way_through_the_table_comes_back() -> None:
    def ways(was: str, path: tuple[str, ...]) -> None:
        for after in payment_states.FORWARD[was]:
            assert after not in path
            ways(after, (*path, after))

    ways("waiting", ("waiting",))


@pytest.mark.parametrize("status", ["waiting", "input", "rejected", "cancelled", "error", "preauth"])
def test_a_confirmed_payment_stays_confirmed(lamp: Variant, status: str) -> None:
    row = begin(make_order(lamp))
    row.change_status("confirmed")
    row.change_status(status)
    assert row.status == "confirmed"
    row.refresh_from_db()
    assert row.status == "confirmed"


def test_an_old_copy_of_the_row_cannot_undo_a_step(lamp: Variant) -> None:
    row = begin(make_order(lamp))
    old = Payment.objects.get(pk=row.pk)
    payment.hear(confirmed(row))
    old.message = "written late"
    old.save()
    row.refresh_from_db()
    assert (row.status, row.captured, row.message) == ("confirmed", 5390, "written late")


def test_without_the_guard_an_old_copy_undoes_the_payment(
    lamp: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the package's own save writes the whole row back."""
    row = begin(make_order(lamp))
    old = Payment.objects.get(pk=row.pk)
    payment.hear(confirmed(row))
    monkeypatch.setattr(Payment, "GUARDED", frozenset())
    old.save()
    row.refresh_from_db()
    assert row.status == "waiting"


# Everything that may happen to an order with two payments, to be tried in every order.
def _events(order: Order, one: Payment, two: Payment) -> dict[str, Callable[[], object]]:
    def end() -> None:
        Order.objects.filter(pk=order.pk).update(pay_by=timezone.now() - timedelta(seconds=1))
        endings.expire_due()

    return {
        "paid 1": lambda: payment.hear(confirmed(one, provider="p", event="evt-1")),
        "paid 1 again": lambda: payment.hear(confirmed(one, provider="p", event="evt-1")),
        "paid 1, other event": lambda: payment.hear(confirmed(one, provider="p", event="evt-2")),
        "refused 1": lambda: payment.hear(Report(token=one.token, status="rejected")),
        "paid 2": lambda: payment.hear(confirmed(two, provider="p", event="evt-3")),
        "expired": end,
    }


def _check(order: Order, happened: tuple[str, ...], stock: int) -> None:
    """Paid or given back, never both; and every cent is either kept for a paid order or sent back, once."""
    order.refresh_from_db()
    variant = Variant.objects.get()
    captured = sum(row.captured for row in order.payments.all())
    told = mails()
    assert (order.status == "paid") == (captured == order.total), happened
    assert variant.stock == stock + (1 if order.status in ENDED else 0), happened
    assert captured in {0, order.total}, happened
    assert told.count("paid") == (order.status == "paid"), happened
    assert told.count("expired") == (order.status == "expired"), happened
    paid_ones = {name.split()[1].rstrip(",") for name in happened if name.startswith("paid")}
    assert told.count("refunded") == len(paid_ones) - (order.status == "paid"), happened


def _state(order: Order) -> tuple[object, ...]:
    """Everything that decides what comes next: two ways that meet here have one future."""
    payments = order.payments.order_by("pk").values_list("status", "captured_amount", "refund_next_try_at")
    events = ProviderEvent.objects.order_by("event_id").values_list("event_id", flat=True)
    return (order.status, *payments, *events, *sorted(mails()))


def test_all_interleavings_to_length_6(lamp: Variant) -> None:
    """Walk every order of up to six events: each step in a savepoint, judged, gone on from, and undone."""
    order = make_order(lamp)
    one, two = (
        Payment.objects.create(order=order, variant="dummy", currency="USD", total="53.90") for _ in range(2)
    )
    events = _events(order, one, two)
    known: set[tuple[object, ...]] = set()

    def walk(happened: tuple[str, ...]) -> None:
        for name in events.keys() - set(happened):
            before = transaction.savepoint()
            events[name]()
            refunds.send_due()
            _check(order, (*happened, name), stock=5)
            place = (frozenset((*happened, name)), _state(order))
            if place not in known:
                known.add(place)
                walk((*happened, name))
            transaction.savepoint_rollback(before)

    walk(())
    assert len({names for names, _state in known}) == 2**6 - 1


def test_webhooks_any_number_of_times_in_any_order_change_nothing_more(lamp: Variant) -> None:
    reports = ["confirmed", "rejected", "cancelled"]
    for heard in product(reports, repeat=3):
        OutboxMail.objects.all().delete()
        row = begin(make_order(lamp))
        for status in heard:
            payment.hear(confirmed(row, status=status))
        row.refresh_from_db()
        row.order.refresh_from_db()
        expected = (
            ("confirmed", "paid", ["paid"]) if "confirmed" in heard else (heard[0], "awaiting_payment", [])
        )
        assert (row.status, row.order.status, mails()) == expected, heard


@pytest.mark.django_db(transaction=True)
def test_the_same_webhook_many_times_at_once_pays_once(lamp: Variant) -> None:
    row = begin(make_order(lamp))
    at_once([lambda: payment.hear(confirmed(row, provider="p", event="evt"))] * 6)
    row.refresh_from_db()
    assert (row.status, row.order.status, mails()) == ("confirmed", "paid", ["paid"])


@pytest.mark.django_db(transaction=True)
def test_paying_and_cancelling_at_once_end_in_exactly_one(lamp: Variant) -> None:
    for _ in range(5):
        OutboxMail.objects.all().delete()
        order = make_order(lamp)
        row = begin(order)
        before = Variant.objects.get().stock
        at_once([partial(_try_to_pay, row), partial(_try_to_cancel, order)])
        order.refresh_from_db()
        row.refresh_from_db()
        is_paid = order.status == "paid"
        assert order.status in {"paid", "cancelled"}
        assert (row.refund_next_try_at is None) == is_paid
        assert Variant.objects.get().stock == before + (not is_paid)


def _try_to_pay(row: Payment) -> None:
    payment.hear(confirmed(row))


def _try_to_cancel(order: Order) -> None:
    try:
        endings.cancel(order=order)
    except NotCancellable:
        return
