"""Whose a claimed mail is: not two senders' at once, whatever the mail server and the workers' clocks do."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.utils import timezone
from time_machine import travel

from shop import smtp
from shop.orders import outbox
from shop.orders.models import OutboxMail
from shop.orders.tests.inbox import Inbox, receiving
from shop.orders.tests.test_outbox import states, write

MAILS = 10
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    with receiving(settings) as found:
        yield found


@pytest.fixture
def silent(settings: Any) -> Iterator[list[socket.socket]]:
    """A mail server whose system takes connections and which never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_BACKEND = "shop.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = 0.1
        yield [server]


@pytest.fixture
def each_takes_a_minute(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let every mail take a minute by all clocks, and another worker look for mails after each."""
    passed, original, looks = [0.0], EmailMultiAlternatives.send, [False]

    def send(message: Any, **_: Any) -> None:
        original(message)
        passed[0] += A_MINUTE.total_seconds()
        OutboxMail.objects.filter(status="pending").update(next_try_at=F("next_try_at") - A_MINUTE)
        if not looks[0]:
            looks[0] = True
            outbox.send_due()
            looks[0] = False

    def begin() -> None:
        monkeypatch.setattr("shop.orders.outbox.monotonic", lambda: passed[0])
        monkeypatch.setattr(EmailMultiAlternatives, "send", send)

    return begin


def doubles(inbox: Inbox) -> int:
    ids = [message["Message-ID"] for message in inbox.mails]
    return len(ids) - len(set(ids))


def test_a_batch_that_outlasts_its_lease_is_not_sent_by_two(
    inbox: Inbox, db: None, each_takes_a_minute: Callable[[], None]
) -> None:
    for number in range(MAILS):
        write(f"r-{number}")
    each_takes_a_minute()
    assert outbox.send_due() == 2, "those that it could begin within SPEND"
    assert doubles(inbox) == 0
    while OutboxMail.objects.filter(status="pending").exists():
        OutboxMail.objects.filter(status="pending").update(next_try_at=timezone.now())  # the leases end
        outbox.send_due()
    assert doubles(inbox) == 0
    assert {state for _ref, state in states()} == {"sent"}
    assert len(inbox.mails) == MAILS


def test_control_without_the_bound_two_workers_send_the_same_mails(
    inbox: Inbox, db: None, each_takes_a_minute: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MAILS):
        write(f"r-{number}")
    monkeypatch.setattr(outbox, "SPEND", float("inf"))
    each_takes_a_minute()
    outbox.send_due()
    assert doubles(inbox) > 0


def test_a_silent_server_takes_a_batch_no_longer_than_its_bound(
    silent: list[socket.socket], db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mail waits for EMAIL_TIMEOUT; the rest of the batch is due at once, its tries are not counted."""
    for number in range(MAILS):
        write(f"r-{number}")
    monkeypatch.setattr(outbox, "SPEND", 0.35)
    assert outbox.send_due() == 0
    tried = OutboxMail.objects.filter(attempts=1)
    assert 1 <= tried.count() <= 4
    assert all("timed out" in row.error for row in tried)
    left = OutboxMail.objects.filter(attempts=0, next_try_at__lte=timezone.now())
    assert left.count() == MAILS - tried.count()


def test_the_longest_mail_ends_within_the_lease(settings: Any) -> None:
    """The last one that is begun finds the server's address, opens a connection and sends."""
    way_there = 4 * settings.EMAIL_TIMEOUT
    assert outbox.LEASE.total_seconds() > outbox.SPEND + way_there + 2 * smtp.PATIENCE


def test_who_was_frozen_puts_off_nothing_that_another_has_sent(inbox: Inbox, db: None) -> None:
    write("r-1")
    write("r-2")
    frozen = outbox._claim(50)
    OutboxMail.objects.update(next_try_at=timezone.now())  # his lease has ended
    assert outbox.send_due() == 2
    outbox._put_off(frozen[0], TimeoutError("thawed"))
    outbox._give_back(frozen[1:])
    assert [state for _ref, state in states()] == ["sent", "sent"]
    assert (outbox.send_due(), len(inbox.mails)) == (0, 2)


def test_who_was_frozen_cannot_give_back_what_another_is_sending(db: None) -> None:
    write("r-1")
    frozen = outbox._claim(50)
    OutboxMail.objects.update(next_try_at=timezone.now())
    other = outbox._claim(50)
    outbox._give_back(frozen)
    outbox._put_off(frozen[0], TimeoutError("thawed"))
    row = OutboxMail.objects.get()
    assert (row.next_try_at, row.attempts) == (other[0].next_try_at, 0)


@pytest.mark.parametrize("seconds", [-600, -30, 30, 600])
def test_a_worker_whose_clock_is_wrong_neither_delays_nor_doubles(
    inbox: Inbox, db: None, seconds: int
) -> None:
    wrong = timezone.now() + timedelta(seconds=seconds)
    with travel(wrong):
        write("r-1")
    assert outbox.send_due() == 1, "due at once, whatever the writer's clock says"
    write("r-2")
    outbox._claim(50)
    with travel(wrong):
        assert outbox.send_due() == 0, "another one has it"
    write("r-3", to="nobody@example.com")
    with travel(wrong):
        outbox.send_due()
    wait = OutboxMail.objects.get(ref="r-3").next_try_at - timezone.now()
    assert timedelta(seconds=-1) < wait <= timedelta(seconds=1)
    row = OutboxMail.objects.get(ref="r-1")
    assert row.sent_at is not None
    assert abs(row.sent_at - timezone.now()) < timedelta(seconds=20)


def test_a_clock_that_is_a_day_ahead_parks_nothing(inbox: Inbox, db: None) -> None:
    write("r-1", to="nobody@example.com")
    with travel(timezone.now() + timedelta(hours=30)):
        outbox.send_due()
    assert states() == [("r-1", "pending")]
