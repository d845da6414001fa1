"""How often one shopper tried: counted for all of a small crowd, for a bounded fair sample of a large one."""

from collections.abc import Callable

import pytest
from django_redis import get_redis_connection

from flashsale import sampling, stock
from flashsale.models import SaleItem
from flashsale.report import gathering, telling

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
COUNTED = 2000


def tries_of(item: SaleItem) -> dict[str, int]:
    return dict(zip(stock.TRIES, stock.run(stock.flow(item.sale_id))[2], strict=True))


def count(item: SaleItem, users: list[int]) -> None:
    for first in range(0, len(users), 1000):
        part = users[first : first + 1000]
        stock.run(stock.count(item.sale_id, {"reserved": len(part)}, part))


def test_a_small_crowd_is_counted_whole(make_sale: Make) -> None:
    item = make_sale()
    count(item, [1, 2, 3, 3, 4, 4, 4, 4] + [5] * 7 + [6] * 30 + [7] * 31)
    assert tries_of(item) == {"1": 2, "2": 1, "3": 0, "4–5": 1, "6–10": 1, "11–30": 1, "31+": 1}


def test_of_a_large_crowd_a_fair_part_is_counted_in_bounded_memory(make_sale: Make) -> None:
    """20,000 shoppers: a seventh of them, anywhere in the crowd, try twenty times, the others once."""
    item, eager = make_sale(), [user for user in range(1, 20_001) if user % 7 == 0]
    count(item, list(range(1, 10_001)))
    for _ in range(19):
        count(item, eager)  # many of them before they first count among all
    count(item, list(range(10_001, 20_001)))
    found = tries_of(item)
    key = f"fs:{{{item.sale_id}}}:each"
    assert get_redis_connection("sale").hlen(key) <= COUNTED + 1
    total = sum(found.values())
    assert total > COUNTED / 3
    assert abs(found["11–30"] / total - 1 / 7) < 0.03
    assert stock.run(stock.flow(item.sale_id))[1] == pytest.approx(20_000, rel=0.03)


def test_the_report_says_it_in_a_table_a_picture_and_the_csv(make_sale: Make) -> None:
    item = make_sale()
    sampling.take()
    assert telling.csv_rows(gathering.gather(item.sale))  # before anybody tried
    count(item, [1, 2, 3, 3])
    sampling.take()
    report = gathering.gather(item.sale)
    chart = next(one for one in telling.drawn(report) if one.name == "tries")
    assert chart.rows[:2] == [["1", 2, "2 of 3"], ["2", 1, "1 of 3"]]
    assert "Counted for 3 shoppers" in chart.sentence
    assert ("shoppers of the sample by attempts", "2", 1, 3) in telling.csv_rows(report)
