"""A part is down: what goes on, what waits, and that nothing is lost (a table in docs/operations.md)."""

from datetime import timedelta
from typing import Any

import psycopg2
import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings

from flashsale import draining, recording, reservations, scheduling, stream
from flashsale.models import Reservation
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
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate
from shop.catalogue.models import Variant
from shop.orders.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def store_away(settings: Settings) -> Any:
    """Let the sale's memory and the cache refuse connections, from the moment this is called."""

    def go_away() -> None:
        caches = {name: dict(options) for name, options in settings.CACHES.items()}
        for name in ("default", "sale"):
            caches[name]["LOCATION"] = NOWHERE
        settings.CACHES = caches

    return go_away


def test_shop_without_valkey(make_sale: MakeSale, shoppers: MakeShoppers, store_away: Any) -> None:
    item, (ann,), client = make_sale(quantity=1), shoppers(1), Client()
    (rid,) = win(item, ann)
    order = Order.objects.get(reservation__rid=rid)
    client.force_login(ann)
    store_away()
    ordinary = Variant.objects.get(pk=item.variant_id)
    for path in ("/", ordinary.product.get_absolute_url(), "/cart/", "/sales/", item.sale.get_absolute_url()):
        assert client.get(path).status_code == 200, path
    assert client.post("/cart/add/", {"variant": ordinary.pk, "quantity": 1}).status_code == 302
    assert client.get("/checkout/").status_code == 200
    held = client.get(f"/sales/reservations/{rid}/")
    assert held.status_code == 200
    paused = client.post(f"/sales/{item.sale.slug}/items/{item.pk}/attempt/")
    assert paused.status_code in (302, 503)
    pay(rid)
    assert Order.objects.get(pk=order.pk).status == "paid"
    assert Reservation.objects.get(rid=rid).store_told_at is None


def test_what_was_paid_meanwhile_is_told_when_the_store_is_back(
    make_sale: MakeSale, shoppers: MakeShoppers, settings: Settings, store_away: Any
) -> None:
    item, (ann, ben) = make_sale(quantity=2), shoppers(2)
    anns, bens = win(item, ann, ben)
    usual = settings.CACHES
    store_away()
    pay(anns)
    reservations.give_back(user=ben, rid=bens)
    settings.CACHES = usual
    assert units(item) == (0, 2, 0, 0)
    Reservation.objects.update(ended_at=timezone.now() - timedelta(seconds=2))
    assert reservations.tell_store() == 2  # what the sweep does every second
    assert units(item) == (1, 0, 1, 0)
    assert is_clean(item)


def test_without_postgresql_the_gate_sells_and_the_orders_follow(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, (ann,) = make_sale(quantity=1), shoppers(1)
    token = bearer(a_pass(item, ann))
    with running_gate(DATABASE_URL="postgres://shop@127.0.0.1:1/shop") as gate:
        status, told, _ = attempt_at(gate, item, token)
    assert (status, told["outcome"]) == (201, "reserved")
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get().rid == told["reservation"]


def end_our_connection() -> None:
    """What an operator, a restart or a fail-over of PostgreSQL does to a worker in the middle of a batch."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = _second_connection()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()


def _second_connection() -> Any:
    given = connection.settings_dict
    return psycopg2.connect(
        host=given["HOST"],
        port=given["PORT"],
        user=given["USER"],
        password=given["PASSWORD"],
        dbname=given["NAME"],
    )


@pytest.fixture
def cut_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """End the worker's connection once, before or after one of its steps."""

    def cut(name: str, *, after: bool) -> None:
        act = getattr(recording, name)

        def once(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(recording, name, act)
            if not after:
                end_our_connection()
            found = act(*args, **kwargs)
            if after:
                end_our_connection()
                raise OperationalError("the reply to COMMIT was lost")
            return found

        monkeypatch.setattr(recording, name, once)

    return cut


@pytest.mark.parametrize(
    ("name", "after"), [("_insert", False), ("record", True)], ids=["mid-batch", "at the commit"]
)
def test_commit_unknown_then_retry(
    make_sale: MakeSale, shoppers: MakeShoppers, cut_at: Any, name: str, after: bool
) -> None:
    item, crowd = make_sale(quantity=3), shoppers(3)
    attempt(item, *crowd)
    cut_at(name, after=after)
    with pytest.raises(OperationalError):
        draining.drain_once(sale_id=item.sale_id)
    draining.drain_once(sale_id=item.sale_id)
    assert sorted(Reservation.objects.values_list("status", flat=True)) == ["held"] * 3
    assert Order.objects.count() == 3
    assert is_clean(item)


def test_thawed_worker_changes_nothing(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=1), shoppers(2)
    attempt(item, ann, ben)
    sale = item.sale_id
    frozen = stream.read([sale], consumer="frozen", count=10)[sale]
    draining.drain_once(sale_id=sale)  # another one takes over, and life goes on
    reservations.give_back(user=ann, rid=frozen[0].ref)
    draining.drain_once(sale_id=sale)
    before = list(Reservation.objects.order_by("pk").values_list("rid", "status"))
    assert recording.record(sale_id=sale, entries=frozen) == 0
    stream.acknowledge(sale, [entry.id for entry in frozen])
    assert list(Reservation.objects.order_by("pk").values_list("rid", "status")) == before
    assert [status for _, status in before] == ["cancelled", "held"]
    assert is_clean(item)


@pytest.mark.parametrize("hours", [-1, 1])
def test_deadline_under_clock_steps(make_sale: MakeSale, shoppers: MakeShoppers, hours: int) -> None:
    item, (ann, ben) = make_sale(quantity=2), shoppers(2)
    anns, bens = win(item, ann, ben)
    let_the_deadline_pass(bens)
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):  # the worker's clock, not PostgreSQL's
        assert reservations.expire_due() == 1
    assert dict(Reservation.objects.values_list("rid", "status")) == {anns: "held", bens: "expired"}


def test_a_dead_beat_makes_deadlines_late_and_moves_none(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(quantity=1), shoppers(1)
    (rid,) = win(item, ann)
    let_the_deadline_pass(rid)  # and nobody sweeps
    assert Reservation.objects.get().status == "held"
    order = Order.objects.get()
    client = Client()
    client.force_login(ann)
    client.post(f"/orders/{order.public_id}/pay/", {"variant": "dummy"})
    assert Order.objects.get().status == "awaiting_payment"
    assert Order.objects.get().payments.count() == 0
    reservations.expire_due()  # the beat is back
    assert units(item) == (1, 0, 0, 0)


def test_a_store_that_lost_everything_sells_nothing(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(quantity=1), shoppers(1)
    get_redis_connection("sale").flushdb()
    assert scheduling.warm(sale_id=item.sale_id) == "lost"
    assert attempt(item, ann)[0].outcome == "paused"
