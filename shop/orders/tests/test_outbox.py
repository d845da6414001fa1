"""Mail leaves from the outbox: at least once, under one Message-ID, to a real SMTP server."""

import smtplib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, BoundedSemaphore, Event, Semaphore
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from time_machine import travel

from shop.catalogue.models import Variant
from shop.orders import letters, mail, outbox, tasks
from shop.orders.models import OutboxMail
from shop.orders.tests.conftest import make_order
from shop.orders.tests.inbox import Inbox, receiving
from shop.orders.tests.threads import at_once


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    with receiving(settings) as found:
        yield found


def write(ref: str = "r-1", to: str = "ada@example.com", kind: str = "reserved") -> None:
    moment = "2026-11-22T10:24:00+00:00"
    context = {"title": "Lamp", "pay_by": moment, "price": 4900, "path": "/orders/r-1/"}
    outbox.put(ref, kind, to, "en", context)


def states() -> list[tuple[str, str]]:
    return list(OutboxMail.objects.order_by("pk").values_list("ref", "status"))


def test_a_mail_arrives_with_the_deadline_in_its_subject(inbox: Inbox, db: None) -> None:
    write()
    tasks.send_mail()
    message = inbox.mails[0]
    text, html = [part.get_payload(decode=True).decode() for part in message.get_payload()]
    assert message["Subject"] == "Yours until 10:24 UTC: pay for Lamp"
    assert message["Message-ID"] == "<r-1.reserved@127.0.0.1>"
    assert "Lamp is yours until 22 November 2026, 10:24 UTC. Pay USD 49.00 by then." in text
    assert "http://127.0.0.1:8000/orders/r-1/" in text
    assert '<a href="http://127.0.0.1:8000/orders/r-1/">' in html
    assert states() == [("r-1", "sent")]


def test_a_batch_goes_over_one_connection(inbox: Inbox, db: None) -> None:
    for number in range(5):
        write(f"r-{number}")
    assert outbox.send_due() == 5
    assert (len(inbox.mails), len(inbox.connections)) == (5, 1)


@pytest.mark.parametrize(("senders", "sending"), [(1, 1), (2, 2), (4, 4)])
def test_of_a_workers_threads_only_so_many_send(
    senders: int, sending: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = list[int](), Event()

    def hang() -> int:
        begun.append(1)
        return int(may_end.wait(timeout=20))

    def tick() -> None:
        tasks.send_mail()
        ended.release()

    monkeypatch.setattr(tasks, "_senders", BoundedSemaphore(senders))
    monkeypatch.setattr(outbox, "send_due", hang)
    ended = Semaphore(0)
    with ThreadPoolExecutor(4) as pool:
        ticks = [pool.submit(tick) for _ in range(4)]
        for _ in range(4 - sending):  # ticks that find the senders busy are over at once
            assert ended.acquire(timeout=20)
        may_end.set()
        for one in ticks:
            one.result(timeout=20)
    assert len(begun) == sending
    tasks.send_mail()  # and whoever comes later sends again
    assert len(begun) == sending + 1


def test_the_same_mail_is_written_once(db: None) -> None:
    write()
    write()
    assert OutboxMail.objects.count() == 1


def test_a_refused_mailbox_does_not_hold_up_the_others(inbox: Inbox, db: None) -> None:
    write("r-1", to="nobody@example.com")
    write("r-2")
    assert outbox.send_due() == 1
    assert states() == [("r-1", "pending"), ("r-2", "sent")]
    refused = OutboxMail.objects.get(ref="r-1")
    assert (refused.attempts, "550" in refused.error) == (1, True)
    assert refused.next_try_at > timezone.now()


def test_a_mail_that_cannot_be_rendered_does_not_hold_up_the_others(inbox: Inbox, db: None) -> None:
    outbox.put("broken", "reserved", "ada@example.com", "en", {"pay_by": "yesterday"})
    write("r-2")
    assert outbox.send_due() == 1
    assert states() == [("broken", "pending"), ("r-2", "sent")]


def test_a_server_that_is_away_puts_mail_off_longer_each_time(settings: Any, db: None) -> None:
    settings.EMAIL_BACKEND = "shop.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    write()
    assert outbox.send_due() == 0
    assert states() == [("r-1", "pending")]
    assert [outbox.wait_after(0) <= 1, 128 <= outbox.wait_after(8) <= 256] == [True, True]
    assert 3 * 3600 <= outbox.wait_after(1000) <= 6 * 3600


def test_after_a_day_of_tries_a_mail_is_parked_and_can_be_sent_again(
    inbox: Inbox, settings: Any, db: None
) -> None:
    write()
    OutboxMail.objects.update(created_at=timezone.now() - timedelta(hours=24))
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    outbox.send_due()
    assert states() == [("r-1", "parked")]
    settings.EMAIL_PORT = port
    assert outbox.send_due() == 0
    outbox.send_again(ids=OutboxMail.objects.values_list("pk", flat=True))
    assert (outbox.send_due(), len(inbox.mails)) == (1, 1)


def test_mail_duplicate_only_after_crash(inbox: Inbox, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies between the server's 250 and our commit: the mail comes again, under the same id."""
    write()

    class Dead(BaseException):
        """The process is gone: nothing after this happens."""

    def send(message: Any, **_: Any) -> None:
        original(message)
        raise Dead

    original = EmailMultiAlternatives.send
    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", send)
        with pytest.raises(Dead):
            outbox.send_due()
    assert (states(), len(inbox.mails)) == ([("r-1", "pending")], 1)
    assert outbox.send_due() == 0
    OutboxMail.objects.update(next_try_at=timezone.now())
    assert outbox.send_due() == 1
    assert [message["Message-ID"] for message in inbox.mails] == ["<r-1.reserved@127.0.0.1>"] * 2
    OutboxMail.objects.update(next_try_at=timezone.now())
    assert outbox.send_due() == 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_worker_whose_clock_is_wrong_keeps_no_mail_from_the_others(
    inbox: Inbox, db: None, hours: int
) -> None:
    with travel(timezone.now() + timedelta(hours=hours)):
        write("r-1")
        write("r-2", to="nobody@example.com")
    write("r-3", to="nobody@example.com")
    assert outbox.send_due(limit=1) == 1  # whose clock is right finds at once what the other has written
    with travel(timezone.now() + timedelta(hours=hours)):
        assert outbox.send_due() == 0  # and the other one finds what is due
    put_off = OutboxMail.objects.filter(status="pending", attempts=1)
    about_now = timezone.now() - timedelta(minutes=30), timezone.now() + timedelta(minutes=30)
    assert put_off.filter(next_try_at__range=about_now).count() == 2


def test_a_connection_that_breaks_in_the_middle_is_opened_again(
    inbox: Inbox, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        write(f"r-{number}")
    original, calls = smtplib.SMTP.sendmail, iter([False, True, False])

    def sendmail(self: smtplib.SMTP, *args: Any, **kwargs: Any) -> Any:
        if next(calls):
            self.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        return original(self, *args, **kwargs)

    monkeypatch.setattr(smtplib.SMTP, "sendmail", sendmail)
    assert outbox.send_due() == 2
    assert states() == [("r-0", "sent"), ("r-1", "pending"), ("r-2", "sent")]


@pytest.mark.django_db(transaction=True)
def test_four_workers_send_each_mail_once(inbox: Inbox) -> None:
    for number in range(40):
        write(f"r-{number}")
    assert sum(at_once([lambda: outbox.send_due(limit=15)] * 4)) == 40
    assert len({message["Message-ID"] for message in inbox.mails}) == len(inbox.mails) == 40


@pytest.mark.django_db(transaction=True)
def test_without_the_claim_a_mail_is_sent_twice(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: workers that only look what is due."""
    write()
    both_have_looked = Barrier(2)

    def look(limit: int) -> list[OutboxMail]:
        rows = list(OutboxMail.objects.filter(status="pending")[:limit])
        both_have_looked.wait(timeout=10)
        return rows

    monkeypatch.setattr(outbox, "_claim", look)
    at_once([outbox.send_due] * 2)
    assert len(inbox.mails) == 2


@pytest.mark.parametrize("kind", OutboxMail.Kind.values)
def test_every_kind_has_its_words(kind: str, lamp: Variant) -> None:
    order = make_order(lamp)
    row = OutboxMail(
        ref="r",
        kind=kind,
        to="a@example.com",
        context={
            **letters.context(order),
            "amount": 5390,
            "sale": "Spring",
            "opens_at": order.pay_by.isoformat(),
        },
    )
    message = mail.render(row)
    html = str(message.alternatives[0][0])
    assert message.subject
    assert "None" not in f"{message.subject}{message.body}{html}"
    assert "Lamp" in str(message.body) + message.subject
    assert "&quot;" not in str(message.body)
    assert str(message.subject) in html.replace("&amp;", "&")


@pytest.mark.parametrize("kind", ["reserved", "standby", "promoted", "expired", "cancelled", "displaced"])
def test_a_sale_s_mail_needs_no_order(kind: str) -> None:
    moment = "2026-11-22T10:24:00+00:00"
    context = {"title": "Lamp", "sale": "Spring", "price": 4900, "pay_by": moment, "path": "/reservations/1/"}
    message = mail.render(OutboxMail(ref="1-2-3", kind=kind, to="a@example.com", context=context))
    assert "Lamp" in str(message.subject)
    assert "order" not in str(message.subject)


def test_a_guest_s_mail_bears_a_key_that_opens_the_order(lamp: Variant, client: Any) -> None:
    order = make_order(lamp)
    path = letters.context(order)["path"]
    assert client.get(f"/orders/{order.public_id}/?key=guess").status_code == 404
    assert client.get(f"/orders/{order.public_id}/").status_code == 404
    assert client.get(path)["Location"] == f"/orders/{order.public_id}/"
    assert client.get(f"/orders/{order.public_id}/").status_code == 200
