"""From the store's decision to the order, and to its end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import Address
from flashsale import draining, reconcile, recording, reservations, scheduling, stock, stream
from flashsale.models import ParkedEntry, Reservation, StandbyEntry
from flashsale.stream import Entry
from flashsale.tests.conftest import (
    MakeSale,
    MakeShoppers,
    attempt,
    is_clean,
    let_the_deadline_pass,
    pay,
    units,
    win,
)
from shop.orders import endings
from shop.orders.errors import NotPayable
from shop.orders.models import Order, OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_reservation_becomes_one_order_and_one_mail(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=3), shoppers(3)
    rids = win(item, *crowd)
    rows = Reservation.objects.filter(rid__in=rids).select_related("order").order_by("pk")
    assert [row.user for row in rows] == crowd
    assert [row.order and row.order.total for row in rows] == [4900 + item.delivery] * 3
    assert OutboxMail.objects.filter(ref__in=rids, kind="reserved").count() == 3
    assert is_clean(item)


def test_an_entry_that_comes_twice_is_recorded_once(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale()
    attempt(item, *shoppers(2))
    entries = stream.read([item.sale_id], consumer="first", count=10)[item.sale_id]
    assert recording.record(sale_id=item.sale_id, entries=entries) == 2
    assert recording.record(sale_id=item.sale_id, entries=entries) == 0
    assert Order.objects.count() == 2


def test_a_dead_workers_entries_are_claimed_by_another(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale()
    attempt(item, *shoppers(2))
    stream.read([item.sale_id], consumer="dead", count=10)
    assert draining.drain_once(sale_id=item.sale_id, consumer="alive") == 2
    assert Order.objects.count() == 2
    assert stream.backlog(item.sale_id).pending == 0


def test_stale_store_cannot_oversell(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=2), shoppers(4)
    win(item, *crowd[:2])
    document = scheduling.document(item.sale) | {"epoch": 2}
    document["items"][0] |= {"holders": [], "number": 100}
    stock.run(stock.load(item.sale_id, document))
    item.sale.epoch = 2
    item.sale.save(update_fields=["epoch"])
    assert [answer.outcome for answer in attempt(item, *crowd[2:])] == ["reserved", "reserved"]
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.filter(status="held").count() == 2
    assert Reservation.objects.filter(status="displaced", order=None).count() == 2
    item.sale.refresh_from_db()
    assert item.sale.paused
    assert attempt(item, *shoppers(1))[0].outcome == "paused"


def test_a_name_that_a_store_gave_twice_belongs_to_the_first(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=3), shoppers(2)
    (rid,) = win(item, ann)
    again = Entry("1-1", "reserved", ben.pk, rid, 0, 600_000)
    for _ in range(2):
        recording.record(sale_id=item.sale_id, entries=[again])
    assert set(Reservation.objects.values_list("user_id", "rid", "status")) == {
        (ann.pk, rid, "held"),
        (ben.pk, f"{rid}-{ben.pk}", "displaced"),
    }
    item.sale.refresh_from_db()
    assert item.sale.paused


def test_a_late_message_of_an_old_epoch_is_refused(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    reconcile.rebuild(sale_id=item.sale_id)
    late = Entry("1-1", "reserved", ann.pk, f"{item.pk}-1-1", 0, 600_000)
    recording.record(sale_id=item.sale_id, entries=[late])
    assert Reservation.objects.get(user=ann).status == "displaced"
    assert Order.objects.count() == 0


def test_a_paid_unit_is_counted_in_both_stores(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale()
    (rid,) = win(item, *shoppers(1))
    pay(rid)
    assert Reservation.objects.get(rid=rid).status == "paid"
    assert units(item) == (2, 0, 1, 0)
    assert is_clean(item)


def test_a_unit_that_is_not_paid_goes_to_standby_with_a_deadline_of_its_own(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=1), shoppers(2)
    rid = attempt(item, ann, ben)[0].rid
    draining.drain_once(sale_id=item.sale_id)
    let_the_deadline_pass(rid)
    assert reservations.expire_due() == 1
    draining.drain_once(sale_id=item.sale_id)
    promoted = Reservation.objects.get(user=ben)
    assert (promoted.status, promoted.promoted) == ("held", True)
    assert promoted.pay_by > timezone.now() + timedelta(seconds=590)
    assert StandbyEntry.objects.get(user=ben).status == "promoted"
    assert set(OutboxMail.objects.values_list("kind", flat=True)) == {
        "reserved",
        "standby",
        "expired",
        "promoted",
    }
    assert is_clean(item)


def test_a_deadline_that_has_not_passed_is_left_alone(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale()
    win(item, *shoppers(1))
    assert reservations.expire_due() == 0
    assert units(item) == (2, 1, 0, 0)


def test_giving_back_frees_the_unit_at_once(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    (rid,) = win(item, ann)
    reservations.give_back(user=ann, rid=rid)
    assert units(item) == (3, 0, 0, 0)
    assert is_clean(item)
    assert attempt(item, ann)[0].first


def test_a_stranger_cannot_give_it_back(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, mallory) = make_sale(), shoppers(2)
    (rid,) = win(item, ann)
    with pytest.raises(Reservation.DoesNotExist):
        reservations.give_back(user=mallory, rid=rid)
    assert units(item) == (2, 1, 0, 0)


def test_crash_between_flip_and_release(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale()
    (rid,) = win(item, *shoppers(1))
    let_the_deadline_pass(rid)
    with monkeypatch.context() as crash:
        crash.setattr(reservations, "tell_store", lambda **_: 0)
        reservations.expire_due()
    assert units(item) == (2, 1, 0, 0)
    Reservation.objects.update(ended_at=F("ended_at") - timedelta(seconds=5))
    assert reservations.tell_store() == 1
    assert units(item) == (3, 0, 0, 0)
    assert is_clean(item)


def test_expired_then_paid_late_is_not_paid(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale()
    (rid,) = win(item, *shoppers(1))
    let_the_deadline_pass(rid)
    reservations.expire_due()
    with pytest.raises(NotPayable):
        pay(rid)
    assert units(item) == (3, 0, 0, 0)


def test_cancelled_order_is_not_expired_too(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale()
    (rid,) = win(item, *shoppers(1))
    endings.cancel(order=Order.objects.get(reservation__rid=rid))
    let_the_deadline_pass(rid)
    assert reservations.expire_due() == 0
    assert units(item) == (3, 0, 0, 0)


def test_poison_is_parked_others_flow(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, (ann, ben) = make_sale(), shoppers(2)
    attempt(item, ann, ben)
    monkeypatch.setattr(draining, "DELIVERIES_AT_MOST", 1)
    ann_pk = ann.pk
    ann.delete()
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get().user == ben
    assert ParkedEntry.objects.get().fields["user"] == ann_pk
    assert stream.backlog(item.sale_id).pending == 0
    assert not is_clean(item)


def test_swept_without_stream(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale()
    attempt(item, *shoppers(1))
    entries = stream.read([item.sale_id], consumer="careless", count=10)[item.sale_id]
    stream.acknowledge(item.sale_id, [entry.id for entry in entries])
    monkeypatch.setattr(reconcile, "SETTLE_MS", -1000)
    assert reconcile.repair(sale_id=item.sale_id).is_clean
    assert Order.objects.count() == 1


def test_a_rebuilt_store_knows_holders_owners_and_standby(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben, cid, dot) = make_sale(quantity=2, standby_size=2), shoppers(4)
    rids = [answer.rid for answer in attempt(item, ann, ben, cid)]
    draining.drain_once(sale_id=item.sale_id)
    pay(rids[0])
    assert reconcile.rebuild(sale_id=item.sale_id).is_clean
    again = attempt(item, ann, ben, cid, dot)
    assert [answer.rid for answer in again[:2]] == rids[:2]
    assert [(answer.outcome, answer.number) for answer in again[2:]] == [("standby", 1), ("standby", 2)]


def test_the_statements_of_a_batch_do_not_grow_with_it(
    make_sale: MakeSale, shoppers: MakeShoppers, django_assert_num_queries: Any
) -> None:
    item = make_sale(quantity=300)
    attempt(item, *shoppers(300))
    entries = stream.read([item.sale_id], consumer="one", count=500)[item.sale_id]
    with django_assert_num_queries(13):
        recording.record(sale_id=item.sale_id, entries=entries)
    assert Order.objects.count() == 300


def test_the_order_goes_to_the_address_that_the_shop_knows(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(), shoppers(2)
    parts = {"full_name": "Ann Smith", "country": "GB", "line1": "1 Mill Lane", "line2": ""}
    Address.objects.create(user=ann, is_default=True, postcode="SW1A 1AA", city="London", **parts)
    win(item, ann, ben)
    order, other = Order.objects.get(user=ann), Order.objects.get(user=ben)
    assert (order.line1, order.postcode, order.country) == ("1 Mill Lane", "SW1A 1AA", "GB")
    assert other.line1 == ""
