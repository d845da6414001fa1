"""A store whose clock steps back, and one whose disk forgets: each with its guard and without."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from flashsale import draining, reservations, stock
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.histories import Told
from flashsale.tests.test_controls import expect, with_and_without

pytestmark = pytest.mark.django_db(transaction=True)
BACK = "control:clock-back"
GUARD = "math.max(store_time(), tonumber(f[3]))"


@contextmanager
def steppable_clock(*, guarded: bool) -> Iterator[None]:
    """The store's clock is so many ms back as a key of its own says; without its guard it is believed."""
    version, text = stock.library()
    time = "return time[1] * 1000 + math.floor(time[2] / 1000)"
    assert (text.count(time), text.count(GUARD)) == (1, 1)
    text = text.replace(time, f"{time} - tonumber(redis.call('GET', '{BACK}') or 0)")
    text = text.replace(version, "control")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            stock, "library", lambda: ("control", text if guarded else text.replace(GUARD, "store_time()"))
        )
        yield
    get_redis_connection("sale").function_delete("flashsale_control")
    get_redis_connection("sale").delete(BACK)


@with_and_without
def test_a_clock_that_steps_back_takes_nobodys_time_to_pay(
    make_sale: MakeSale, shoppers: MakeShoppers, tmp_path: Path, guarded: bool
) -> None:
    """Without `last_now` a shopper wins a unit whose deadline was an hour ago, and is expired at once."""
    item = make_sale(quantity=3, opens_at=timezone.now() - timedelta(hours=2))
    told, (ann, ben, cid) = Told(SaleItem.objects.get(pk=item.pk), tmp_path / "history"), shoppers(3)

    def step_back_after_another() -> None:
        told.attempt(ann)
        get_redis_connection("sale").set(BACK, 3_600_000)

    with steppable_clock(guarded=guarded):
        rid = told.attempt(ben, meanwhile=step_back_after_another)
        draining.drain_once(sale_id=item.sale_id)
        reservations.expire_due()
        get_redis_connection("sale").delete(BACK)
        found = told.verdict(cid)
    expect(found, guarded, "I5")
    row = Reservation.objects.get(rid=rid)
    assert (row.status, row.pay_by > timezone.now()) == (("held", True) if guarded else ("expired", False))
