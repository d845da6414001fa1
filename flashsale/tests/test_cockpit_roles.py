"""Support tells a shopper's story, releases and sends again; the auditor reads; all is in the log."""

import csv
from collections.abc import Callable
from io import StringIO

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from flashsale import audit, entry, operating
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import pay, win
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, do, staff
from shop.orders.models import OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
STORY = "/admin/flashsale/sale/shopper/"
LOG = "/admin/flashsale/sale/log/"


def test_the_whole_story_stands_on_one_page(make_sale: Make, shoppers: Crowd) -> None:
    item, (ann, bob) = make_sale(quantity=2), shoppers(2)
    entry.remember(user=ann, sale=item.sale, address="192.0.2.1")
    rid, other = win(item, ann, bob)
    pay(rid)
    text = words(staff("support").get(STORY, {"email": ann.email.upper()}))
    for words_of_it in (
        f"Entered “{item.sale.title}”.",
        f"Reserved {rid} in “{item.sale.title}”, to pay by",
        f"{rid} ended: Paid.",
        "was paid.",
        "Reserved " + rid,
        "Send again",
    ):
        assert words_of_it in text
    assert text.index("Entered") < text.index("Reserved") < text.index("was paid.")
    assert other not in text


def test_nobody_of_that_address_is_said(db: None) -> None:
    client = staff("support")
    assert "No shopper has this address." in words(client.get(STORY, {"email": "nobody@example.com"}))
    assert "Write an e-mail address such as" in words(client.get(STORY, {"email": "nobody"}))


def test_support_releases_with_a_reason_and_sends_a_mail_again(make_sale: Make, shoppers: Crowd) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    (rid,) = win(item, ann)
    client = staff("support")
    mail = OutboxMail.objects.get(ref=rid)
    OutboxMail.objects.update(status=OutboxMail.Status.SENT, sent_at=timezone.now())
    answer = client.post(f"{STORY}mails/{mail.pk}/again/", follow=True)
    assert "The mail leaves again within seconds." in [str(one) for one in answer.context["messages"]]
    mail.refresh_from_db()
    assert mail.status == OutboxMail.Status.PENDING
    assert "was released" in do(client, item, "release", rid=rid, reason="error", words="Paid twice.")
    assert Reservation.objects.get().status == Reservation.Status.CANCELLED
    entries = [(one.get_change_message(), one.user.email) for one in audit.log(item.sale)]
    assert entries == [
        (f"Released {rid} of {ann.email}.", "support@example.com"),
        (f"Sent “Reserved” to {ann.email} again.", "support@example.com"),
    ]


def test_the_auditor_reads_everything_and_changes_nothing(make_sale: Make, shoppers: Crowd) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    (rid,) = win(item, ann)
    client, mail = staff("auditor"), OutboxMail.objects.get()
    for page in (STORY, f"{STORY}?email={ann.email}", LOG, at(item, "live"), at(item, "report")):
        assert client.get(page).status_code == 200
    assert "Send again" not in words(client.get(STORY, {"email": ann.email}))
    for verb in ("open", "end", "add", "release", "pause", "close"):
        assert client.post(at(item, verb), {"rid": rid, "reason": "asked"}).status_code == 403
    assert client.post(f"{STORY}mails/{mail.pk}/again/").status_code == 403
    assert Reservation.objects.get().status == Reservation.Status.HELD


def test_the_log_says_who_when_what_before_after_and_why(make_sale: Make) -> None:
    item = make_sale()
    mei = User.objects.create_user("mei@example.com", is_staff=True)
    operating.pause(sale=item.sale, by=mei)
    client = staff("auditor")
    assert "mei@example.com" in (text := words(client.get(LOG)))
    assert "Paused. running paused" in text
    rows = list(csv.reader(StringIO(client.get("/admin/flashsale/sale/log.csv").content.decode())))
    assert rows[0] == ["when", "who", "sale", "what", "before", "after", "reason"]
    assert rows[1][1:] == ["mei@example.com", item.sale.title, "Paused.", "running", "paused", ""]
    assert "Nothing was done yet." in words(client.get(LOG, {"sale": str(make_sale().sale_id)}))


def test_strangers_and_shoppers_see_nothing(make_sale: Make, shoppers: Crowd) -> None:
    (ann,) = shoppers(1)
    client = Client()
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    for page in (STORY, LOG, at(make_sale(), "live"), at(make_sale(), "report")):
        assert client.get(page).status_code == 302
