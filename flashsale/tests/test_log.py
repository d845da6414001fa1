"""One name leads through the log: what the gate answered stands in every line, up to the mails that left."""

import json
import logging
from collections.abc import Callable, Iterator
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.db.models import F
from django.test import RequestFactory

from flashsale import draining, reservations, standby
from flashsale.models import Sale, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, let_the_deadline_pass, win
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate
from shop import logs
from shop.orders import payment, refunds, tasks
from shop.orders.models import Order
from shop.orders.payment import Report
from shop.orders.tests.inbox import receiving

pytestmark = pytest.mark.django_db(transaction=True)
CARD = "4242 4242 4242 4242"
Lines = Callable[[], list[dict[str, Any]]]


def write_as(form: str, caplog: pytest.LogCaptureFixture) -> None:
    log = DictConfigurator(logs.describe(form=form, level="INFO"))
    caplog.set_level(logging.WARNING, logger="mail.log")  # the mail server's own, in this very process
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(log.configure_formatter(log.config["formatters"]["line"]))


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    """What was logged so far, as JSON."""
    before = caplog.handler.formatter
    write_as("json", caplog)
    yield lambda: [json.loads(line) for line in caplog.text.splitlines()]
    caplog.handler.setFormatter(before)


def settle(order: Order) -> None:
    """Let the provider say that the order's money has come, in words that nobody else should read."""
    row = payment.start(order=order, variant="dummy")
    payment.hear(Report(row.token, "confirmed", amount=row.amount, currency=row.currency, message=CARD))


def test_one_id_leads_from_the_gate_to_the_mail(
    make_sale: MakeSale,
    shoppers: MakeShoppers,
    settings: Any,
    lines: Lines,
    caplog: pytest.LogCaptureFixture,
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    token = a_pass(item, ann)
    with running_gate() as gate:
        told = attempt_at(gate, item, bearer(token))[1]
    draining.drain_once(sale_id=item.sale_id)
    order = Order.objects.get(user=ann)
    settle(order)
    with receiving(settings) as inbox:
        tasks.send_mail()
    found = lines()
    assert [line["message"] for line in found] == [
        "reservation ready",
        "reservation paid",
        "mail put",
        "mail sent",
        "mail sent",
    ]
    named = {"rid": told["reservation"], "sale": item.sale_id, "order": order.number}
    assert all(named.items() <= line.items() for line in found)
    assert [line["mail"] for line in found[-2:]] == [one["Message-ID"] for one in inbox.mails]
    for secret in (token, told["receipt"], ann.email, CARD):
        assert secret not in caplog.text


def ends_expired(item: SaleItem, rid: str) -> None:
    let_the_deadline_pass(rid)
    reservations.expire_due()


def ends_given_back(item: SaleItem, rid: str) -> None:
    reservations.give_back(user=Order.objects.get(reservation__rid=rid).user, rid=rid)  # type: ignore[arg-type]


def is_refunded(item: SaleItem, rid: str) -> None:
    order = Order.objects.get(reservation__rid=rid)
    row = payment.start(order=order, variant="dummy")
    ends_given_back(item, rid)
    payment.hear(Report(row.token, "confirmed", amount=row.amount, currency=row.currency))
    refunds.send_due()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (ends_expired, {"reservation expired"}),
        (ends_given_back, {"reservation given_back", "mail put"}),
        (is_refunded, {"reservation given_back", "payment refunded", "mail put"}),
    ],
)
def test_every_end_bears_the_name_of_its_reservation(
    make_sale: MakeSale,
    shoppers: MakeShoppers,
    lines: Lines,
    act: Callable[[SaleItem, str], None],
    words: set[str],
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    (rid,) = win(item, ann)
    before = len(lines())
    act(item, rid)
    found = lines()[before:]
    assert {line["message"] for line in found} == words
    assert {line.get("rid") for line in found} == {rid}


def test_a_promotion_is_a_line(make_sale: MakeSale, shoppers: MakeShoppers, lines: Lines) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=1), shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, ben)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    (line,) = [line for line in lines() if line["message"] == "reservation promoted"]
    order = Order.objects.get(user=ben)
    assert (line["rid"], line["order"]) == (order.reservation.rid, order.number)


def test_a_place_on_standby_has_one_name_from_its_attempt_to_its_mail_and_leads_to_the_unit(
    make_sale: MakeSale, shoppers: MakeShoppers, lines: Lines, settings: Any
) -> None:
    item, (ann, ben, eve) = make_sale(quantity=1, standby_size=2), shoppers(3)
    (rid,) = win(item, ann)
    attempt(item, ben, eve)
    draining.drain_once(sale_id=item.sale_id)
    standby.leave(user=eve, item=item)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    with receiving(settings):
        tasks.send_mail()
    first, second = (f"{item.pk}-{item.sale.epoch}-s{number}" for number in (1, 2))
    found = {name: [one["message"] for one in lines() if one.get("rid") == name] for name in (first, second)}
    promoted = Order.objects.get(user=ben).reservation.rid
    assert found[first] == ["place standby", f"place promoted to {promoted}", "mail sent"]
    assert found[second] == ["place standby", "place left", "mail sent"]
    assert {line["sale"] for line in lines() if line.get("rid") == first} == {item.sale_id}


def test_a_displaced_one_is_a_line_without_an_order(
    make_sale: MakeSale, shoppers: MakeShoppers, lines: Lines
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    (told,) = attempt(item, ann)
    Sale.objects.update(epoch=F("epoch") + 1)
    draining.drain_once(sale_id=item.sale_id)
    (line,) = [line for line in lines() if line["message"] == "reservation displaced"]
    assert line["rid"] == told.rid
    assert "order" not in line


def test_what_hangs_on_a_record_is_not_written(lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().get("/sales/", {"pass": "p.1234.5"})
    logger, error = logging.getLogger("django.request"), LookupError("not here")
    logger.error("Not Found: %s", "/sales/", exc_info=error, extra={"request": request})
    (line,) = lines()
    assert list(line) == ["time", "level", "logger", "message", "exc_info"]
    assert (line["level"], line["message"]) == ("ERROR", "Not Found: /sales/")
    assert line["exc_info"].endswith("LookupError: not here")
    assert "p.1234.5" not in caplog.text


def test_plain_lines_say_the_same(caplog: pytest.LogCaptureFixture, lines: Lines) -> None:
    write_as("plain", caplog)
    logging.getLogger("flashsale").info("reservation paid", extra={"rid": "3-1-17", "sale": 3, "order": ""})
    assert caplog.text.endswith(" INFO flashsale reservation paid rid=3-1-17 sale=3\n")
