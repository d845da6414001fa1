"""Personal results: pushed by the workers, and never missed by whoever was not there."""

import json
from collections.abc import Iterator
from threading import Thread

import pytest

from flashsale import draining, reservations
from flashsale.models import Reservation
from flashsale.tests.conftest import (
    MakeSale,
    MakeShoppers,
    attempt,
    let_the_deadline_pass,
    pay,
    win,
)
from flashsale.tests.gates import running_live
from flashsale.tests.streams import Stream, cookie, listening, path_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def live() -> Iterator[str]:
    with running_live() as address:
        yield address


def test_an_order_that_is_ready_is_told_with_its_deadline(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, bob) = make_sale(), shoppers(2)
    with listening(live, item, ann) as stream, listening(live, item, bob) as other:
        stream.wait("own")
        (rid,) = win(item, ann)
        told = stream.wait("result").data
        row = Reservation.objects.get(rid=rid)
        assert told == {
            "kind": "ready",
            "item": item.pk,
            "rid": rid,
            "pay_by": int(row.pay_by.timestamp() * 1000),
            "number": 0,
        }
        assert stream.wait("own").data["items"][0]["rid"] == rid
        win(item, bob)
        assert other.wait("result").data["rid"] != rid


def test_paid_given_back_and_expired_are_told(live: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, bob, eve) = make_sale(), shoppers(3)
    paid, given_back, expired = win(item, ann, bob, eve)
    with (
        listening(live, item, ann) as first,
        listening(live, item, bob) as second,
        listening(live, item, eve) as third,
    ):
        for stream in (first, second, third):
            stream.wait("own")
        pay(paid)
        reservations.give_back(user=bob, rid=given_back)
        let_the_deadline_pass(expired)
        reservations.expire_due()
        assert first.wait("result", kind="paid").data["rid"] == paid
        assert first.wait("own").data["items"][0]["paid"]
        assert second.wait("result", kind="given_back").data["rid"] == given_back
        assert third.wait("result", kind="expired").data["rid"] == expired
        assert third.wait("own").data["items"][0]["outcome"] == "none"


def test_standby_is_told_from_the_place_to_the_promotion(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, bob, eve) = make_sale(quantity=1, standby_size=5), shoppers(3)
    (rid,) = win(item, ann)
    with listening(live, item, bob) as second, listening(live, item, eve) as third:
        attempt(item, bob, eve)
        draining.drain_once(sale_id=item.sale_id)
        assert second.wait("result").data["kind"] == "standby"
        assert [place["position"] for place in third.wait("own").data["items"]] == [2]
        reservations.give_back(user=ann, rid=rid)
        draining.drain_once(sale_id=item.sale_id)
        assert second.wait("result", kind="promoted").data["pay_by"]
        assert third.wait("result", kind="moved").data["number"] == 1


def test_no_result_falls_between_joining_and_being_told_what_one_has(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=40), shoppers(40)
    streams: list[Stream] = []

    def listen() -> None:
        streams.extend(Stream(live, path_of(item), cookie(item, user)) for user in crowd)

    thread = Thread(target=listen)
    thread.start()
    for user in crowd:  # each of them wins about when his stream begins
        win(item, user)
    thread.join()
    for user, stream in zip(crowd, streams, strict=True):
        rid = Reservation.objects.get(user=user).rid
        assert any(rid in json.dumps(event.data) for event in stream.events())
        stream.close()
