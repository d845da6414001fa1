"""Before a sale opens: a mail to those who asked, and an entry in the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from flashsale import reminders
from flashsale.calendar import entry
from flashsale.models import Reminder, Sale, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.pages import address, logged_in
from shop.orders import outbox, wishes
from shop.orders.models import OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def item(make_sale: MakeSale) -> SaleItem:
    """A sale that opens in an hour."""
    cache.clear()
    return make_sale(opens_at=timezone.now() + timedelta(hours=1))


def opens_in(item: SaleItem, **length: int) -> None:
    opening = timezone.now() + timedelta(**length)
    Sale.objects.filter(pk=item.sale_id).update(opens_at=opening, closes_at=opening + timedelta(hours=1))


def test_whoever_asks_gets_one_mail_a_quarter_of_an_hour_before(client: Client, item: SaleItem) -> None:
    page = client.get(address(item)).content.decode()
    assert address(item, "remind") in page
    for _ in range(2):
        assert client.post(address(item, "remind"), {"email": "Ada@example.com"})["Location"] == address(item)
    assert reminders.put_due() == 0
    opens_in(item, minutes=14)
    assert [reminders.put_due(), reminders.put_due()] == [1, 0]
    outbox.send_due()
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.com"]
    assert sent.subject.startswith(f"{item.sale.title} opens at ")
    assert address(item) in sent.body
    assert "/mail/stop/" in sent.body
    reminders.ask(sale=item.sale, email="ada@example.com", language="en")
    reminders.put_due()
    assert OutboxMail.objects.count() == 1, "asked for again, the same opening is told once"


def test_the_mail_is_in_the_language_in_which_it_was_asked_for(client: Client, item: SaleItem) -> None:
    client.post(address(item, "remind"), {"email": "mei@example.com"}, headers={"Accept-Language": "zh-CN"})
    opens_in(item, minutes=5)
    reminders.put_due()
    assert OutboxMail.objects.get().language == "zh-hans"


def test_a_sale_that_was_taken_back_or_has_opened_sends_nothing(item: SaleItem, make_sale: MakeSale) -> None:
    draft = make_sale(scheduled=False, opens_at=timezone.now() + timedelta(minutes=5))
    for sale in (item.sale, draft.sale):
        reminders.ask(sale=sale, email="ada@example.com", language="en")
    opens_in(item, minutes=-1)
    assert reminders.put_due() == 0
    assert [row.sale for row in Reminder.objects.all()] == [draft.sale]


def test_who_wants_no_such_mails_gets_none(item: SaleItem) -> None:
    for name in ("ada", "mei"):
        reminders.ask(sale=item.sale, email=f"{name}@example.com", language="en")
    wishes.stop(email="ada@example.com")
    opens_in(item, minutes=5)
    reminders.put_due()
    assert OutboxMail.objects.get().to == "mei@example.com"


def test_the_form_knows_who_is_logged_in(item: SaleItem, shoppers: MakeShoppers) -> None:
    (bea,) = shoppers(1)
    assert f'value="{bea.email}"' in logged_in(bea).get(address(item, "remind")).content.decode()


def test_a_wrong_address_is_asked_for_again_and_an_open_sale_needs_none(
    client: Client, item: SaleItem, make_sale: MakeSale
) -> None:
    assert client.post(address(item, "remind"), {"email": "nobody"}).status_code == 422
    running = make_sale()
    assert client.get(address(running, "remind"))["Location"] == address(running)
    assert address(running, "remind") not in client.get(address(running)).content.decode()
    assert client.get("/sales/nothing/remind/").status_code == 404
    assert not Reminder.objects.exists()


def test_the_calendar_entry_has_the_instants_of_the_sale(client: Client, item: SaleItem) -> None:
    opens = datetime(2027, 6, 12, 8, 0, tzinfo=UTC)
    Sale.objects.filter(pk=item.sale_id).update(
        opens_at=opens, closes_at=opens + timedelta(hours=2), title="Lamps; big, and small\\wide"
    )
    answer = client.get(address(item, "calendar.ics").rstrip("/"))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.content.decode().split("\r\n")
    assert {"DTSTART:20270612T080000Z", "DTEND:20270612T100000Z", "TRIGGER:-PT10M"} <= set(lines)
    assert "SUMMARY:Lamps\\; big\\, and small\\\\wide" in lines
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")


def test_long_lines_are_folded_between_characters(item: SaleItem) -> None:
    item.sale.title = "灯" * 80
    lines = entry(item.sale).split("\r\n")
    assert max(len(line.encode()) for line in lines) <= 75
    assert f"SUMMARY:{item.sale.title}" in "".join(lines).replace(" ", "")
