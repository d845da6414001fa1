"""A paused sale says since when, why, and when there is news: kept with it, told on every page and stream."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from flashsale import audit, draining, operating, pauses, reconcile, recording, scheduling, stock
from flashsale.gate.answers import status_document
from flashsale.models import Pause, Sale, SaleItem
from flashsale.pauses import Why
from flashsale.stream import Entry
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, win
from flashsale.tests.pages import address, enter, logged_in, press, words
from flashsale.words import hour
from shop.orders.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def why(minutes: int = 20) -> Why:
    return Why("check", "Crates are being counted.", timezone.now() + timedelta(minutes=minutes))


def document(item: SaleItem) -> dict[str, Any]:
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    found: dict[str, Any] = json.loads(status_document(item.sale_id, status, status.now))
    return found


def test_the_status_document_says_why_in_every_language_and_when_there_is_news(make_sale: MakeSale) -> None:
    item, said = make_sale(), why()
    assert document(item)["pause"] is None
    scheduling.pause(sale_id=item.sale_id, why=said)
    row = Pause.objects.get()
    assert document(item)["pause"] == {
        "since": int(row.since.timestamp() * 1000),
        "news_at": int(row.news_at.timestamp() * 1000),
        "why": {
            "en": "The shop is checking something about this sale. Crates are being counted.",
            "zh-hans": "商店正在核查与本次抢购有关的事项。 Crates are being counted.",
        },
    }
    assert row.news_at == said.news_at
    scheduling.resume(sale_id=item.sale_id)
    assert document(item)["pause"] is None
    assert Pause.objects.get().ended_at is not None
    scheduling.pause(sale_id=item.sale_id)
    assert document(item)["pause"]["why"] is None, "the next pause begins with nothing said"


def test_what_was_said_before_the_opening_is_told_once_it_would_have_opened(make_sale: MakeSale) -> None:
    item = make_sale(opens_at=timezone.now() + timedelta(hours=1))
    scheduling.pause(sale_id=item.sale_id, why=why())
    assert (document(item)["state"], document(item)["pause"]) == ("coming", None)
    scheduling.move(sale_id=item.sale_id, opens_at=timezone.now())
    assert document(item)["state"] == "paused"
    assert document(item)["pause"] is not None


def test_a_second_pause_keeps_what_was_said_and_explaining_changes_it(make_sale: MakeSale) -> None:
    item = make_sale()
    scheduling.pause(sale_id=item.sale_id, why=why())
    since = Pause.objects.get().since
    scheduling.pause(sale_id=item.sale_id)
    assert Pause.objects.get().reason == "check"
    scheduling.explain(sale_id=item.sale_id, why=Why("payment"))
    row = Pause.objects.get()
    assert (row.reason, row.words, row.since) == ("payment", "", since)
    assert document(item)["pause"]["why"]["en"] == "Payments do not go through at the moment."


def test_a_store_that_was_away_is_told_by_the_warm_up(make_sale: MakeSale) -> None:
    item = make_sale()
    scheduling.pause(sale_id=item.sale_id)
    pauses.change(sale_id=item.sale_id, why=why())
    assert document(item)["pause"]["why"] is None
    assert scheduling.warm(sale_id=item.sale_id) == "updated"
    assert "Crates" in document(item)["pause"]["why"]["en"]


PAGES = {
    "sale": lambda item, _rid: address(item),
    "line": lambda item, _rid: address(item, "items", str(item.pk)),
}


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_say_since_when_why_and_when_there_is_news(
    make_sale: MakeSale, shoppers: MakeShoppers, page: str
) -> None:
    item, crowd = make_sale(quantity=200, rate=1), shoppers(9)
    attempt(item, *crowd)
    client, path = logged_in(crowd[-1]), PAGES[page](item, "")
    assert "There is news by" not in words(client.get(path))
    scheduling.pause(sale_id=item.sale_id, why=why())
    row = Pause.objects.get()
    told = (
        f"The shop paused the sale at {hour(row.since)}. Your place is kept."
        " The shop is checking something about this sale. Crates are being counted."
        f" There is news by {hour(row.news_at)} at the latest."
    )
    assert told in words(client.get(path))
    Pause.objects.update(news_at=timezone.now() - timedelta(seconds=1))
    scheduling.tell_paused(sale_id=item.sale_id)
    late = f"The news due by {hour(Pause.objects.get().news_at)} is late."
    assert late in words(client.get(path))
    with override("en"):  # put back what the middleware leaves behind
        assert "的消息延迟了" in client.get(path, headers={"accept-language": "zh-hans"}).content.decode()
    scheduling.resume(sale_id=item.sale_id)
    assert "Crates" not in words(client.get(path))


def test_standby_an_empty_result_and_a_press_say_it_too(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, bea, cem) = make_sale(quantity=1, standby_size=1), shoppers(3)
    attempt(item, ann, bea)
    draining.drain_once(sale_id=item.sale_id)
    scheduling.pause(sale_id=item.sale_id, why=why())
    path = address(item, "items", str(item.pk))
    for who in (bea, cem):
        assert "Crates are being counted." in words(logged_in(who).get(path))
    client = logged_in(cem)
    enter(client, item)
    pressed = press(client, item)
    assert pressed.status_code == 503
    assert "Crates are being counted." in words(pressed)
    assert "Leave the line" in words(pressed)


def test_whoever_holds_a_unit_reads_that_the_deadline_stays(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    path = f"/sales/reservations/{rid}/"
    sentence = "The shop has paused the sale. Your deadline stays as it is: pay by then as before."
    assert sentence not in words(logged_in(bea).get(path))
    scheduling.pause(sale_id=item.sale_id, why=why())
    assert sentence in words(logged_in(bea).get(path))


def test_an_automatic_pause_says_its_own_reason(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, bea) = make_sale(quantity=1), shoppers(2)
    win(item, ann)
    ref = f"{item.pk}-{item.sale.epoch}-999"
    now = int(timezone.now().timestamp() * 1000)
    recording.record(
        sale_id=item.sale_id, entries=[Entry("1-1", "reserved", bea.pk, ref, now, now + 600_000, 0)]
    )
    assert Sale.objects.get().paused
    assert Pause.objects.get().reason == Pause.Reason.COUNTS
    assert "Two records of who has reserved differ" in document(item)["pause"]["why"]["en"]
    assert timezone.now() < Pause.objects.get().news_at < timezone.now() + timedelta(minutes=11)


def test_a_rebuild_says_so_while_it_lasts_and_keeps_what_an_operator_said(make_sale: MakeSale) -> None:
    item = make_sale()
    reconcile.rebuild(sale_id=item.sale_id)
    row = Pause.objects.get()
    assert (row.reason, row.ended_at is None) == ("memory", False)
    scheduling.pause(sale_id=item.sale_id, why=why())
    reconcile.rebuild(sale_id=item.sale_id)
    assert Sale.objects.get().paused
    assert "Crates" in document(item)["pause"]["why"]["en"]


def test_a_silent_store_is_named_and_the_next_look_is_the_news(make_sale: MakeSale, client: Client) -> None:
    item = make_sale()
    told = pauses.told(sale=item.sale, status=None)
    assert told.since is None
    assert told.why == "The memory of the sale does not answer. Everything that was reserved is kept."
    assert told.news_at is not None
    assert timezone.now() < told.news_at <= timezone.now() + pauses.LOOKS_WITHIN


def test_two_who_pause_in_the_same_moment_make_one_pause(make_sale: MakeSale) -> None:
    item = make_sale()
    at_once([partial(scheduling.pause, sale_id=item.sale_id, why=why())] * 8)
    assert Pause.objects.filter(ended_at=None).count() == 1


def test_the_api_says_it_in_the_language_of_the_request(make_sale: MakeSale, client: Client) -> None:
    item = make_sale()
    path = f"/api/sales/{item.sale_id}/"
    assert client.get(path).json()["pause"] is None
    scheduling.pause(sale_id=item.sale_id, why=Why("payment"))
    with override("en"):
        found = client.get(path, headers={"accept-language": "zh-hans"}).json()["pause"]
    assert found["why"] == "付款暂时无法完成。"
    assert found["news_at"] > found["since"]


def test_the_audit_log_has_what_was_said(make_sale: MakeSale, mei: User) -> None:
    item = make_sale()
    operating.explain(sale=item.sale, why=why(), by=mei)
    operating.explain(sale=Sale.objects.get(), why=Why("payment"), by=mei)
    log = [(one.get_change_message(), one.change.reason) for one in audit.log(item.sale)]
    assert log == [
        ("Said more about the pause.", "Payments do not go through at the moment."),
        ("Paused.", "The shop is checking something about this sale. Crates are being counted."),
    ]
