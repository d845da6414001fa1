"""What users of other shops complained of, by thread: one owner a unit, one deadline, no waiting."""

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django_redis import get_redis_connection
from redis import Redis
from redis.client import Pipeline

from accounts.models import User
from flashsale import draining, reservations, scheduling, standby, stock, tasks
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import attempt, is_clean, let_the_deadline_pass, pay, units, win
from shop.orders import payment
from shop.orders.errors import NotCancellable, NotPayable
from shop.orders.models import Order
from shop.orders.payment import Report

pytestmark = pytest.mark.django_db(transaction=True)
MakeSale = Callable[..., SaleItem]
Shoppers = Callable[[int], list[User]]
Patch = pytest.MonkeyPatch


def browser_of(user: User, item: SaleItem) -> Client:
    """A browser of its own, logged in and let into the sale."""
    client = Client()
    client.force_login(user)
    assert client.post(f"/sales/{item.sale.slug}/enter/").status_code == 302
    return client


def holders(item: SaleItem) -> dict[int, tuple[str, int]]:
    return stock.run(stock.members(item.sale_id, item.pk)).holders


# C5 (saleor #11069, #14893): rows locked during a network call; the payment's webhook then waited for them.


def calls_in_transactions(make_sale: MakeSale, crowd: list[User], patch: Patch) -> tuple[int, int]:
    """Lead a sale through its life; return how often the store was called, and how often with rows locked."""
    locked: list[bool] = []

    def watch(owner: type, name: str) -> None:
        send = getattr(owner, name)

        def watched(*args: object, **kwargs: object) -> object:
            locked.append(connection.in_atomic_block)
            return send(*args, **kwargs)

        patch.setattr(owner, name, watched)

    watch(Redis, "execute_command")
    watch(Pipeline, "execute")
    item = make_sale()
    rids = win(item, *crowd)
    pay(rids[0])
    reservations.give_back(user=crowd[1], rid=rids[1])
    let_the_deadline_pass(rids[2])
    tasks.expire_reservations()
    tasks.reconcile_sales()
    scheduling.close_now(sale_id=item.sale_id)
    return len(locked), sum(locked)


def test_c5_no_row_is_locked_while_the_store_is_asked(
    make_sale: MakeSale, shoppers: Shoppers, monkeypatch: Patch
) -> None:
    calls, with_locks = calls_in_transactions(make_sale, shoppers(3), monkeypatch)
    assert calls > 10
    assert with_locks == 0


def test_c5_control_told_before_the_commit_the_locks_are_seen(
    make_sale: MakeSale, shoppers: Shoppers, monkeypatch: Patch
) -> None:
    after = transaction.on_commit

    def at_once(act: Callable[[], object], **options: Any) -> None:
        # What opens a transaction of its own still waits; all else told to the store comes too early.
        after(act, **options) if act is standby.close_all_paid else act()

    monkeypatch.setattr(transaction, "on_commit", at_once)
    _, with_locks = calls_in_transactions(make_sale, shoppers(3), monkeypatch)
    assert with_locks == 4  # the payment and the unit given back, and the news of each


# C8 (pretix #1163, #1405): after a cancel the old right lived on, or the unit never came back.


def test_c8_a_cancelled_right_is_dead_and_its_unit_has_one_owner(
    make_sale: MakeSale, shoppers: Shoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=1), shoppers(2)
    rid, _ = (answer.rid for answer in attempt(item, ann, ben))
    draining.drain_once(sale_id=item.sale_id)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    with pytest.raises(NotPayable):
        pay(rid)
    with pytest.raises(NotCancellable):
        reservations.give_back(user=ann, rid=rid)
    assert list(holders(item)) == [ben.pk]
    assert Reservation.objects.get(status="held").user == ben


@pytest.mark.parametrize("seed", range(3))
def test_c8_whatever_happens_a_unit_comes_back_to_whoever_is_next(
    make_sale: MakeSale, shoppers: Shoppers, seed: int
) -> None:
    item, crowd, chance = make_sale(quantity=2, standby_size=2), shoppers(5), Random(seed)
    for _ in range(25):
        attempt(item, chance.choice(crowd))
        draining.drain_once(sale_id=item.sale_id)
        held = list(Reservation.objects.filter(status="held").select_related("user"))
        if held and chance.random() < 0.6:
            row = chance.choice(held)
            reservations.give_back(user=row.user, rid=row.rid)
            draining.drain_once(sale_id=item.sale_id)
        found = stock.run(stock.members(item.sale_id, item.pk))
        free, held_units, *_ = units(item)
        assert free + held_units == 2
        assert not (free and found.standby)
        assert not set(found.holders) & set(found.standby)
    assert is_clean(item)


# C10 (pretix #837, #2219): leave the list, or decline, and the next one knows within a second.


def test_c10_a_declined_unit_is_the_next_ones_within_a_second(
    make_sale: MakeSale, shoppers: Shoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=1), shoppers(2)
    rid = attempt(item, ann, ben)[0].rid
    draining.drain_once(sale_id=item.sale_id)
    browser, pressed_at = browser_of(ann, item), time.monotonic()
    assert browser.post(f"/sales/reservations/{rid}/give-back/").status_code == 302
    assert list(holders(item)) == [ben.pk]
    assert time.monotonic() - pressed_at < 1.0


def test_c10_who_leaves_standby_moves_the_others_up_within_a_second(
    make_sale: MakeSale, shoppers: Shoppers
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=2), shoppers(3)
    attempt(item, ann, ben, cid)
    browser, pressed_at = browser_of(ben, item), time.monotonic()
    browser.post(f"/sales/{item.sale.slug}/items/{item.pk}/leave/")
    assert attempt(item, cid)[0].position == 1
    assert time.monotonic() - pressed_at < 1.0


# C12 (pretix #1575): a button that reset the countdown, for ever.


def test_c12_nothing_that_a_shopper_presses_moves_his_deadline(
    make_sale: MakeSale, shoppers: Shoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    first = attempt(item, ann)[0]
    draining.drain_once(sale_id=item.sale_id)
    browser = browser_of(ann, item)
    order = Order.objects.get(reservation__rid=first.rid)
    assert browser.post(f"/sales/{item.sale.slug}/items/{item.pk}/attempt/").status_code == 302
    assert browser.post(f"/orders/{order.public_id}/pay/").status_code == 200
    payment.start(order=order, variant="dummy")
    draining.drain_once(sale_id=item.sale_id)
    order.refresh_from_db()
    deadlines = {attempt(item, ann)[0].pay_by, holders(item)[ann.pk][1]}
    deadlines |= {int(row.pay_by.timestamp() * 1000) for row in (order, order.reservation)}
    assert deadlines == {first.pay_by}


# C17 (woocommerce #67354, #24491): shoppers blocked by their own hold, and holds in whole minutes.


def test_c17_whoever_returns_in_another_browser_finds_his_unit(
    make_sale: MakeSale, shoppers: Shoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, pay_within=5), shoppers(2)
    rid = attempt(item, ann, ben)[0].rid
    press = f"/sales/{item.sale.slug}/items/{item.pk}/attempt/"
    answers = [browser_of(ann, item).post(press) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [f"/sales/reservations/{rid}/"] * 2
    assert holders(item)[ann.pk][0] == rid


def test_c17_a_hold_lasts_its_seconds(make_sale: MakeSale, shoppers: Shoppers) -> None:
    item, (ann,) = make_sale(pay_within=7), shoppers(1)
    win(item, ann)
    row = Reservation.objects.get(user=ann)
    assert (row.pay_by - row.reserved_at).total_seconds() == 7


# C18 (mollie/WooCommerce #1252): a late "paid" revived an order that was over, and took stock again.


def test_c18_money_that_comes_late_revives_nothing(make_sale: MakeSale, shoppers: Shoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    (rid,) = win(item, ann)
    started = payment.start(order=Order.objects.get(reservation__rid=rid), variant="dummy")
    reservations.give_back(user=ann, rid=rid)
    report = Report(str(started.token), "confirmed", amount=started.amount, currency="USD")
    for _ in range(2):
        payment.hear(report)
    started.refresh_from_db()
    assert started.refund_next_try_at is not None
    assert units(item) == (3, 0, 0, 0)
    assert Reservation.objects.get(rid=rid).status == "cancelled"


# C25 (qiurunze123/miaosha #145, #23; hfbin/Seckill #14): a shopper's repeats ate the store's stock.


@pytest.fixture
def without_memory(monkeypatch: Patch) -> Iterator[None]:
    """The functions of the store, but an attempt does not look whether its shopper has a unit already."""
    guard, version = "  if again then return again end\n", "control"
    text = stock.library()[1]
    assert text.count(guard) == 1
    text = text.replace(guard, "").replace(stock.library()[0], version)
    with monkeypatch.context() as patch:
        patch.setattr(stock, "library", lambda: (version, text))
        yield
    get_redis_connection("sale").function_delete(f"flashsale_{version}")


def repeat(item: SaleItem, user: User) -> None:
    attempt(item, user, user)
    attempt(item, user)
    draining.drain_once(sale_id=item.sale_id)


def test_c25_a_shoppers_repeats_never_eat_stock(make_sale: MakeSale, shoppers: Shoppers) -> None:
    item, (ann,) = make_sale(quantity=3), shoppers(1)
    repeat(item, ann)
    assert units(item) == (2, 1, 0, 0)
    assert is_clean(item)


def test_c25_control_without_the_look_at_the_holders_they_do(
    make_sale: MakeSale, shoppers: Shoppers, without_memory: None
) -> None:
    item, (ann,) = make_sale(quantity=3), shoppers(1)
    repeat(item, ann)
    assert units(item) == (0, 3, 0, 0)
    assert Reservation.objects.filter(status="held").count() == 1  # the rows still give him one
    assert not is_clean(item)
