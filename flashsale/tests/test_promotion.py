"""A promotion passes every gate: whoever may not enter the sale any more does not get the unit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import standing
from accounts.models import User
from flashsale import draining, eligibility, recording, reservations, stock, stream
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry, WhitelistEntry
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, is_clean, units, win
from shop.orders.models import Order, OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


def give_back_the_only_unit(item: SaleItem, owner: User, *waiting: User) -> None:
    (rid,) = win(item, owner)
    attempt(item, *waiting)
    draining.drain_once(sale_id=item.sale_id)
    reservations.give_back(user=owner, rid=rid)


def holder(item: SaleItem) -> User | None:
    row = Reservation.objects.filter(item=item, status="held").select_related("user").first()
    return row.user if row else None


def block(user: User) -> None:
    standing.block(users=User.objects.filter(pk=user.pk))


def let_level_fall(user: User) -> None:
    Sale.objects.update(min_level=2)
    User.objects.exclude(pk=user.pk).update(level=2)


def strike_off(user: User) -> None:
    Sale.objects.update(whitelist_only=True)
    for one in User.objects.exclude(pk=user.pk):
        WhitelistEntry.objects.create(sale=Sale.objects.get(), email=one.email)


def close_account(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def rejuvenate(user: User) -> None:
    Sale.objects.update(min_account_days=30)
    User.objects.exclude(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=365))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (block, "F-17"),
        (let_level_fall, "F-13"),
        (strike_off, "F-14"),
        (close_account, "F-15"),
        (rejuvenate, "F-12"),
    ],
)
def test_whoever_may_not_enter_any_more_is_passed_over(
    make_sale: MakeSale, shoppers: MakeShoppers, change: Callable[[User], None], code: str
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=5), shoppers(3)
    (rid,) = win(item, ann)
    attempt(item, ben, cid)
    draining.drain_once(sale_id=item.sale_id)
    change(ben)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    refused = Reservation.objects.get(user=ben)
    assert (refused.status, refused.refusal, refused.order) == ("refused", code, None)
    assert StandbyEntry.objects.get(user=ben).status == "refused"
    assert OutboxMail.objects.get(ref=refused.rid).kind == "passed_over"
    assert holder(item) == cid
    assert Order.objects.filter(user=ben).count() == 0
    assert is_clean(item)


def test_the_guard_is_what_holds_them_back(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eligibility, "refused", lambda **_: {})
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    give_back_the_only_unit(item, ann, ben)
    block(ben)
    draining.drain_once(sale_id=item.sale_id)
    assert holder(item) == ben


def test_with_nobody_left_the_unit_is_free_again(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(4)
    (rid,) = win(item, crowd[0])
    attempt(item, *crowd[1:])
    for one in crowd[1:]:
        block(one)
    reservations.give_back(user=crowd[0], rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.filter(status="refused").count() == 3
    assert units(item) == (1, 0, 0, 0)
    assert is_clean(item)


def test_an_entry_that_comes_twice_passes_over_once(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=5), shoppers(3)
    give_back_the_only_unit(item, ann, ben, cid)
    block(ben)
    entries = stream.read([item.sale_id], consumer="first", count=10)[item.sale_id]
    assert recording.record(sale_id=item.sale_id, entries=entries) == 1
    standing.unblock(users=User.objects.filter(pk=ben.pk))
    assert recording.record(sale_id=item.sale_id, entries=entries) == 0
    stream.acknowledge(item.sale_id, [entry.id for entry in entries])
    draining.drain_once(sale_id=item.sale_id)
    assert holder(item) == cid
    assert StandbyEntry.objects.get(user=ben).status == "refused"
    assert is_clean(item)


def test_a_worker_that_dies_before_the_store_is_told_loses_no_unit(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=5), shoppers(3)
    give_back_the_only_unit(item, ann, ben, cid)
    block(ben)
    with monkeypatch.context() as crash:
        crash.setattr(reservations, "tell_store", lambda **_: 0)
        draining.drain_once(sale_id=item.sale_id)
    assert holder(item) is None
    Reservation.objects.filter(status="refused").update(ended_at=timezone.now() - timedelta(seconds=5))
    reservations.tell_store()
    draining.drain_once(sale_id=item.sale_id)
    assert holder(item) == cid
    assert is_clean(item)


def in_thread(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


def give_all_back(owners: list[User], rids: list[str]) -> None:
    for owner, rid in zip(owners, rids, strict=True):
        reservations.give_back(user=owner, rid=rid)


def drain(sale_id: int) -> None:
    for _ in range(20):
        draining.drain_once(sale_id=sale_id)


def block_all(users: list[User]) -> dict[int, datetime]:
    blocked = {}
    for one in users:
        block(one)
        blocked[one.pk] = timezone.now()
    return blocked


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_blocking_and_promoting_at_once_never_gives_a_unit_to_the_blocked(
    make_sale: MakeSale, shoppers: MakeShoppers, _round: int
) -> None:
    """The operator blocks while the worker promotes: whoever holds a unit was let in before the block."""
    item, crowd = make_sale(quantity=4, standby_size=20), shoppers(16)
    owners, waiting = crowd[:4], crowd[4:]
    rids = win(item, *owners)
    attempt(item, *waiting)
    draining.drain_once(sale_id=item.sale_id)
    with ThreadPoolExecutor(3) as threads:
        others = [
            threads.submit(in_thread, lambda: give_all_back(owners, rids)),
            threads.submit(in_thread, lambda: drain(item.sale_id)),
        ]
        blocked = threads.submit(in_thread, lambda: block_all(waiting[::2])).result()
        for one in others:
            one.result()
    draining.drain_once(sale_id=item.sale_id)
    held = Reservation.objects.filter(item=item, status="held", user__in=blocked)
    # The transaction that saw him eligible came before the block, and the promotion before that.
    assert all(row.reserved_at < blocked[row.user_id] for row in held)
    assert sum(units(item)) == 4
    assert is_clean(item)


def test_the_store_knows_whom_it_passed_over(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=5), shoppers(3)
    give_back_the_only_unit(item, ann, ben, cid)
    block(ben)
    draining.drain_once(sale_id=item.sale_id)
    assert stock.run(stock.place(item.sale_id, item.pk, user=ben.pk)) is None
