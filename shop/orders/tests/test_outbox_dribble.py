"""A mail server that answers a byte at a time: no time-out of the socket ends that, a clock over all does."""

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from shop import smtp
from shop.orders import outbox
from shop.orders.models import OutboxMail
from shop.orders.tests.certificates import self_signed
from shop.orders.tests.dribble import dribbling
from shop.orders.tests.inbox import Inbox, receiving
from shop.orders.tests.test_outbox import states, write
from shop.orders.tests.test_outbox_lease import doubles

GREETING, ADDRESS, TEXT = b"", b"mail FROM", b"\r\n.\r\n"
HANDSHAKE = b"\x16\x03\x01"  # how TLS begins


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    with receiving(settings) as found:
        yield found


@pytest.fixture(params=["ssl_context", "tls_context"])
def private(request: Any, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A mail server that speaks TLS, from the first byte on or after STARTTLS."""
    certificate = self_signed(tmp_path, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiving(settings, **{request.param: context}) as found:
        yield found


def send_and_hang_up() -> int:
    try:
        return outbox.send_due()
    finally:
        connections.close_all()


def the_lease_ends() -> None:
    OutboxMail.objects.update(next_try_at=timezone.now())


def given_up() -> list[str]:
    """Return why mails were put off."""
    return list(OutboxMail.objects.filter(status="pending", attempts=1).values_list("error", flat=True))


@pytest.mark.parametrize("after", [GREETING, ADDRESS, TEXT])
def test_a_server_that_answers_a_byte_at_a_time_is_given_up(
    inbox: Inbox, db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, after: bytes
) -> None:
    monkeypatch.setattr(smtp, "PATIENCE", 0.5)
    write()
    server = settings.EMAIL_PORT
    with dribbling(settings, after=after):
        assert outbox.send_due() == 0
    assert [("timed out" in why or "too long" in why) for why in given_up()] == [True]
    settings.EMAIL_PORT = server
    monkeypatch.setattr(smtp, "PATIENCE", 20)
    the_lease_ends()
    assert outbox.send_due() == 1
    assert doubles(inbox) == (after == TEXT), "only if the server had it and had not said so"
    assert states() == [("r-1", "sent")]


def test_a_server_that_is_slow_and_in_time_is_waited_for(inbox: Inbox, db: None, settings: Any) -> None:
    write()
    with dribbling(settings, after=TEXT):
        assert outbox.send_due() == 1
    assert states() == [("r-1", "sent")]


@pytest.mark.django_db(transaction=True)
def test_control_with_a_time_out_of_the_socket_alone_two_workers_send_the_same_mail(
    inbox: Inbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "PATIENCE", 0.5)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    write()
    server = settings.EMAIL_PORT
    with ThreadPoolExecutor(1) as pool, dribbling(settings, after=GREETING) as relay:
        one = pool.submit(send_and_hang_up)
        assert relay.begun.wait(20)
        settings.EMAIL_PORT = server
        the_lease_ends()
        assert outbox.send_due() == 1
        relay.hurry.set()
        assert one.result(timeout=20) == 1
    assert doubles(inbox) == 1


def test_a_mail_leaves_over_tls(private: Inbox, db: None) -> None:
    write()
    assert (outbox.send_due(), len(private.mails)) == (1, 1)


def test_a_server_that_shakes_hands_a_byte_at_a_time_is_given_up(
    private: Inbox, db: None, settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 0.5
    write()
    with dribbling(settings, after=HANDSHAKE):
        assert outbox.send_due() == 0
    assert len(given_up()) == 1
