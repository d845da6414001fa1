"""A pass lives for hours: whoever is blocked meanwhile is refused at the gate, and again at the recording."""

import time
from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection
from redis.exceptions import ConnectionError as StoreAway

from accounts import standing
from accounts.models import User
from flashsale import blocked, draining, eligibility, stock, tasks
from flashsale.models import Reservation
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, is_clean, units
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate
from flashsale.tests.pages import logged_in, words
from shop.orders import mail
from shop.orders.models import Order, OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


def block(*users: User) -> None:
    standing.block(users=User.objects.filter(pk__in=[user.pk for user in users]))


def told_within(seconds: float, gate: str, item: object, headers: dict[str, str], status: int) -> bool:
    """Whether the gate answers with this status before the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if attempt_at(gate, item, headers)[0] == status:  # type: ignore[arg-type]
            return True
        time.sleep(0.05)
    return False


def test_a_pass_is_worth_nothing_after_a_block_and_works_again_after_it(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=5), shoppers(2)
    headers = bearer(a_pass(item, ann))
    assert attempt_at(gate, item, headers)[0] == 201
    block(ann)
    assert told_within(5, gate, item, headers, 403)
    assert attempt_at(gate, item, bearer(a_pass(item, ben)))[0] == 201
    standing.unblock(users=User.objects.filter(pk=ann.pk))
    assert told_within(5, gate, item, headers, 200)


def test_a_new_gate_knows_the_blocked_before_its_first_answer(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    block(ann)
    with running_gate() as gate:
        assert attempt_at(gate, item, bearer(a_pass(item, ann)))[0] == 403
    assert units(item) == (3, 0, 0, 0)


def test_the_beat_tells_what_a_block_could_not(
    shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_users: object) -> bool:
        raise StoreAway

    (ann,) = shoppers(1)
    with monkeypatch.context() as patch:
        patch.setattr(stock, "tell_blocked", away)
        block(ann)
    assert get_redis_connection("sale").get(stock.BLOCKED) is None
    tasks.warm_sales()
    assert get_redis_connection("sale").get(stock.BLOCKED) == str(ann.pk).encode()
    assert not blocked.push()


@pytest.mark.parametrize(
    ("change", "code"), [({"standing": "blocked"}, "F-17"), ({"is_active": False}, "F-15")]
)
def test_whoever_was_blocked_in_the_moment_of_his_attempt_is_found_when_it_is_recorded(
    make_sale: MakeSale, shoppers: MakeShoppers, change: dict[str, object], code: str
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=2, standby_size=5), shoppers(3)
    attempt(item, ann, ben, cid)
    User.objects.filter(pk=ann.pk).update(**change)
    for _ in range(2):
        draining.drain_once(sale_id=item.sale_id)
    row = Reservation.objects.get(user=ann)
    assert (row.status, row.refusal, row.order) == ("refused", code, None)
    assert set(Reservation.objects.filter(status="held").values_list("user", flat=True)) == {ben.pk, cid.pk}
    assert not Order.objects.filter(user=ann).exists()
    assert is_clean(item)


def test_the_guard_at_the_recording_is_what_stops_them(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eligibility, "blocked", lambda **_: {})
    item, (ann,) = make_sale(), shoppers(1)
    attempt(item, ann)
    block(ann)
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get(user=ann).status == "held"


def test_the_refused_are_told_what_happened_and_nothing_of_standby(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    attempt(item, ann)
    block(ann)
    draining.drain_once(sale_id=item.sale_id)
    row = Reservation.objects.get(user=ann)
    letter = mail.render(OutboxMail.objects.get(ref=row.rid))
    said = words(logged_in(ann).get(row.get_absolute_url()))
    for text in (letter.body, said):
        assert "your account may not take part in sales now" in text
        assert "F-17" in text
        assert "standby" not in text
    assert "standby" not in letter.subject
