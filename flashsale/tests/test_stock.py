"""What the store's functions decide."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from flashsale import scheduling, stock
from flashsale.replies import Answer
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, units

pytestmark = pytest.mark.django_db(transaction=True)


def outcomes(answers: list[Answer]) -> list[str]:
    return [answer.outcome for answer in answers]


def test_a_batch_is_decided_in_the_order_of_arrival(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale(quantity=2, standby_size=1)
    assert outcomes(attempt(item, *shoppers(4))) == ["reserved", "reserved", "standby", "sold_out"]
    assert units(item) == (0, 2, 0, 0)


def test_asking_again_gives_the_same_reservation_and_deadline(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    first, again = attempt(item, ann)[0], attempt(item, ann)[0]
    assert (first.first, again.first) == (True, False)
    assert (again.rid, again.pay_by) == (first.rid, first.pay_by)


def test_a_shopper_twice_in_one_batch_gets_one_unit(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(), shoppers(2)
    first, again, other = attempt(item, ann, ann, ben)
    assert first.rid == again.rid != other.rid
    assert units(item) == (1, 2, 0, 0)


def test_resent_batch_changes_nothing(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=2, standby_size=1), shoppers(4)
    first, resent = attempt(item, *crowd), attempt(item, *crowd)
    assert [answer.rid for answer in first] == [answer.rid for answer in resent]
    assert units(item) == (0, 2, 0, 0)


def test_standby_says_the_position_again(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=5), shoppers(3)
    attempt(item, ann, ben, cid)
    assert attempt(item, cid)[0] == Answer("standby", number=2, position=2)


def test_before_the_opening_nobody_reserves(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    opens_at = timezone.now() + timedelta(minutes=5)
    item = make_sale(opens_at=opens_at)
    assert attempt(item, *shoppers(1)) == [Answer("not_open", at=int(opens_at.timestamp() * 1000))]
    assert units(item) == (3, 0, 0, 0)


def test_a_paused_sale_answers_paused_and_whoever_holds_hears_it_again(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(), shoppers(2)
    attempt(item, ann)
    scheduling.pause(sale_id=item.sale_id)
    assert outcomes(attempt(item, ann, ben)) == ["reserved", "paused"]
    scheduling.resume(sale_id=item.sale_id)
    assert outcomes(attempt(item, ben)) == ["reserved"]


def test_flushall_and_empty_dir_pause(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    get_redis_connection("sale").flushdb()
    assert outcomes(attempt(item, ann)) == ["paused"]
    assert scheduling.warm(sale_id=item.sale_id) == "lost"


def test_more_attempts_than_a_minute_allows_are_slowed_down(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    answers = stock.run(stock.attempt(item.sale_id, [(item.pk, ann.pk)] * 4, per_minute=3)).answers
    assert outcomes(answers) == ["reserved", "reserved", "reserved", "slow_down"]


def test_a_release_goes_to_the_first_on_standby(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=2), shoppers(3)
    rid = attempt(item, ann, ben, cid)[0].rid
    assert stock.run(stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid)) == str(ben.pk)
    assert outcomes(attempt(item, ben, cid)) == ["reserved", "standby"]
    assert units(item) == (0, 1, 0, 0)


def test_release_frees_once(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    rid = attempt(item, ann)[0].rid
    release = stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid)
    assert [stock.run(release), stock.run(release)] == ["free", "gone"]
    assert units(item) == (3, 0, 0, 0)


def test_a_paid_unit_is_not_released(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    rid = attempt(item, ann)[0].rid
    assert stock.run(stock.pay(item.sale_id, item.pk, user=ann.pk, rid=rid))
    assert stock.run(stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid)) == "gone"
    assert units(item) == (2, 0, 1, 0)


@pytest.mark.parametrize(("limit", "second"), [(1, True), (2, False)])
def test_who_has_paid_gets_another_unit_up_to_the_limit(
    make_sale: MakeSale, shoppers: MakeShoppers, limit: int, second: bool
) -> None:
    item, (ann,) = make_sale(limit=limit), shoppers(1)
    first = attempt(item, ann)[0]
    stock.run(stock.pay(item.sale_id, item.pk, user=ann.pk, rid=first.rid))
    again = attempt(item, ann)[0]
    assert (again.rid == first.rid, again.paid) == (second, second)


def test_who_leaves_standby_is_not_promoted(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=1), shoppers(2)
    rid = attempt(item, ann, ben)[0].rid
    leave = stock.leave(item.sale_id, item.pk, user=ben.pk)
    assert [stock.run(leave), stock.run(leave)] == [True, False]
    assert stock.run(stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid)) == "free"


def test_an_older_epoch_cannot_be_loaded_over_a_newer_one(make_sale: MakeSale) -> None:
    item = make_sale()
    document = scheduling.document(item.sale)
    assert stock.run(stock.load(item.sale_id, document | {"epoch": 2})) == "loaded"
    assert stock.run(stock.load(item.sale_id, document)) == "old"


def test_the_sale_goes_on_when_the_library_is_missing(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale()
    get_redis_connection("sale").function_delete(f"flashsale_{stock.library()[0]}")
    assert outcomes(attempt(item, *shoppers(1))) == ["reserved"]


def test_a_change_of_what_is_offered_is_news_at_once(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid, dan) = make_sale(quantity=2, standby_size=2), shoppers(4)
    with get_redis_connection("sale").pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(stock.NEWS)
        heard.get_message(timeout=1)
        told = []
        for user in (ann, ben, cid, dan):
            attempt(item, user)
            told.append(heard.get_message(timeout=0.2) is not None)
    assert told == [False, True, False, True]  # the last unit, and the last place on standby
