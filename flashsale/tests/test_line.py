"""`manage.py line`: the order of a line can be checked by whoever has the key."""

import csv
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import line, queue, stock
from flashsale.models import SaleItem
from flashsale.tests.conftest import attempt
from flashsale.tests.pages import change

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
RIGHT = "The order is what the key says."


def told(item: SaleItem, *options: str) -> str:
    """Return what the command prints. Raises CommandError where the order is another one."""
    out = StringIO()
    call_command("line", str(item.sale_id), *options, stdout=out, stderr=out)
    return out.getvalue()


def faults(item: SaleItem) -> str:
    with pytest.raises(CommandError) as error:
        told(item)
    assert error.value.returncode == 1
    return str(error.value)


def tamper(item: SaleItem, scores: dict[int, int]) -> None:
    """Write other scores into the line, past every function."""
    get_redis_connection("sale").zadd(stock.sale_keys(item.sale_id)[2], scores)


def lot(item: SaleItem, user: User) -> int:
    return queue.lot(item.sale.line_key, user.pk)


@pytest.fixture
def drawn(make_sale: Make, shoppers: Crowd) -> tuple[SaleItem, list[User]]:
    """A sale with a tie band, and ten who came in two bands."""
    item, crowd = make_sale(quantity=99, rate=1, tie_band=50), shoppers(10)
    attempt(item, *crowd[:5])
    time.sleep(0.06)
    attempt(item, *crowd[5:])
    return item, crowd


def test_a_line_in_order_of_arrival_is_right(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(3)
    attempt(item, *crowd)
    rows = told(item).splitlines()
    assert rows[0].split() == ["number", "user", "when", "lot", "score"]
    assert [row.split()[:2] for row in rows[1:4]] == [
        [str(number), str(user.pk)] for number, user in enumerate(crowd, 1)
    ]
    assert rows[-1] == RIGHT


def test_lots_are_right_and_anybody_can_draw_them_again(drawn: tuple[SaleItem, list[User]]) -> None:
    item, crowd = drawn
    out, errors = StringIO(), StringIO()
    call_command("line", str(item.sale_id), "--csv", stdout=out, stderr=errors)
    rows = list(csv.DictReader(StringIO(out.getvalue())))
    assert errors.getvalue().splitlines()[-1] == RIGHT
    assert {int(row["user"]): int(row["lot"], 16) for row in rows} == {
        user.pk: lot(item, user) for user in crowd
    }
    drawn_again = sorted(rows, key=lambda row: (row["when"], lot(item, User(pk=int(row["user"])))))
    assert drawn_again == rows
    assert [int(row["number"]) for row in rows] == list(range(1, 11))


def test_lots_from_before_the_opening_are_right(make_sale: Make, shoppers: Crowd) -> None:
    opens_at = timezone.now() + timedelta(minutes=1)
    item, crowd = make_sale(rate=1, shuffle_at_open=True, opens_at=opens_at), shoppers(4)
    attempt(item, *crowd)
    text = told(item)
    assert text.count("before the opening") == 4
    assert RIGHT in text
    tamper(item, {crowd[0].pk: lot(item, crowd[1]) - 2 * line.LOT})
    assert f"of user {crowd[0].pk} has the lot" in faults(item)


def test_the_key_is_told_only_after_the_sale(make_sale: Make, shoppers: Crowd) -> None:
    item = make_sale(rate=1)
    attempt(item, *shoppers(1))
    sale = item.sale
    assert sale.line_key not in told(item)
    assert queue.fingerprint(sale.line_key) in told(item)
    change(sale, closes_at=timezone.now() - timedelta(seconds=1))
    assert f"key: {sale.line_key}" in told(item)


def test_two_tickets_that_changed_places_are_found(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(3)
    attempt(item, *crowd)
    tamper(item, {crowd[0].pk: 2, crowd[1].pk: 1})
    assert RIGHT in told(item)  # a number by arrival proves nothing by itself: see the ADR
    tamper(item, {crowd[0].pk: 5})
    assert faults(item) == f"Ticket 2 of user {crowd[2].pk} was given the number 3."


def test_two_lots_that_changed_places_are_found(drawn: tuple[SaleItem, list[User]]) -> None:
    item, _crowd = drawn
    first, second, *_ = line.read(item.sale_id)
    tamper(item, {first.user: second.score, second.user: first.score})
    assert faults(item).startswith(f"Ticket 1 of user {second.user} has the lot {first.lot}, not ")


def test_a_ticket_that_was_pushed_to_the_head_is_found(drawn: tuple[SaleItem, list[User]]) -> None:
    item, crowd = drawn
    tamper(item, {crowd[-1].pk: 1})
    assert faults(item) == f"Ticket 1 of user {crowd[-1].pk} was not drawn, but this sale has a tie band."


def test_a_lot_of_no_band_of_the_sale_is_found(drawn: tuple[SaleItem, list[User]]) -> None:
    item, crowd = drawn
    tamper(item, {crowd[0].pk: 10**6 * line.LOT + lot(item, crowd[0])})
    assert "is of a band after the end of the sale." in faults(item)


def test_a_lot_where_none_are_drawn_is_found(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(2)
    attempt(item, *crowd)
    tamper(item, {crowd[0].pk: line.LOT + lot(item, crowd[0])})
    assert "was given the number 2" in faults(item)
    tamper(item, {crowd[1].pk: 1})
    assert "was drawn, but this sale has no tie band." in faults(item)


def test_a_number_that_is_missing_is_found(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(3)
    attempt(item, *crowd)
    get_redis_connection("sale").zrem(stock.sale_keys(item.sale_id)[2], crowd[1].pk)
    assert faults(item) == f"Ticket 2 of user {crowd[2].pk} was given the number 3."


def test_another_key_in_the_store_is_found(make_sale: Make) -> None:
    item = make_sale(rate=1)
    get_redis_connection("sale").hset(stock.sale_keys(item.sale_id)[0], "line_key", "another")
    assert faults(item) == "The store draws lots with another key than the one in PostgreSQL."


def test_a_long_line_is_read_page_by_page(
    make_sale: Make, shoppers: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(7)
    attempt(item, *crowd)
    monkeypatch.setattr(line, "PAGE", 3)
    assert [(place.number, place.user) for place in line.read(item.sale_id)] == [
        (number, user.pk) for number, user in enumerate(crowd, 1)
    ]


def test_scores_past_the_exact_integers_of_a_double_are_verified(make_sale: Make, shoppers: Crowd) -> None:
    opens_at = timezone.now() - timedelta(hours=5)
    item, crowd = make_sale(rate=1, tie_band=1, opens_at=opens_at), shoppers(50)
    attempt(item, *crowd)
    assert next(line.read(item.sale_id)).score > 2**53
    assert RIGHT in told(item)


def test_round_scores_are_read_too(make_sale: Make, shoppers: Crowd) -> None:
    item, (ann,) = make_sale(rate=1), shoppers(1)
    for score in (3_000_000_000, 100_000_000, 2 * line.LOT, -line.LOT - 3):
        tamper(item, {ann.pk: score})
        assert [place.score for place in line.read(item.sale_id)] == [score]


def test_the_line_of_no_sale_is_refused(make_sale: Make) -> None:
    with pytest.raises(CommandError, match=r"There is no sale with the number 7777\."):
        call_command("line", "7777", stdout=StringIO())
    draft = make_sale(scheduled=False)
    assert "The store does not know this sale" in faults(draft)
