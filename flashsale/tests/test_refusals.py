"""What the limits refused is counted for each sale, by all processes together, and told in the cockpit."""

import csv
import time
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPConnection
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.test import Client
from django.utils.crypto import get_random_string
from django_redis import get_redis_connection
from pytest_django import Settings

from accounts import devices
from accounts.models import User
from flashsale import refusals, sampling, stock
from flashsale.models import SaleItem
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate
from flashsale.tests.pages import address, change, enter, logged_in, words
from flashsale.tests.test_admin_verbs import at, staff
from flashsale.tests.test_cockpit_live import live

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
TITLES = {
    "account": "Tries to enter, by account",
    "browser": "Tries to enter, by browser",
    "network": "Tries to enter, by network",
    "attempts": "Attempts a minute, at the gate",
}
NOWHERE = "redis://127.0.0.1:1/0"


def sessions_of(users: Sequence[User]) -> list[str]:
    """Log all of them in; return their sessions' keys."""
    clients = [logged_in(user) for user in users]
    return [client.cookies[django_settings.SESSION_COOKIE_NAME].value for client in clients]


def try_to_enter(site: str, item: SaleItem, session: str, *, mark: str, source: str) -> bool:
    """Send the form of entry over HTTP from an address of this machine; return whether a limit refused."""
    token = get_random_string(CSRF_SECRET_LENGTH)
    cookies = {
        django_settings.SESSION_COOKIE_NAME: session,
        django_settings.CSRF_COOKIE_NAME: token,
        devices.COOKIE: devices.signed(mark, []),
    }
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    connection = HTTPConnection(urlsplit(site).netloc, timeout=10, source_address=(source, 0))
    try:
        connection.request("POST", address(item, "enter"), headers={"Cookie": cookie, "X-CSRFToken": token})
        status = connection.getresponse().status
    finally:
        connection.close()
    assert status in (302, 429)
    return status == 429


def refused_at_the_entry(sites: Sequence[str], item: SaleItem, sessions: Sequence[str]) -> dict[str, int]:
    """Pass each limit of the entry at two processes by turns; return how often each of the limits refused.

    Each has twice what it lets through and some more: so it refuses at the edge of two windows, too.
    """
    counted: Counter[str] = Counter()
    for n in range(25):
        one = {"mark": "his own", "source": "127.20.0.1"}
        counted["account"] += try_to_enter(sites[n % 2], item, sessions[0], **one)
    for n, session in enumerate(sessions[1:66]):
        one = {"mark": "one for all", "source": f"127.21.0.{n + 1}"}
        counted["browser"] += try_to_enter(sites[n % 2], item, session, **one)
    for n, session in enumerate(sessions[66:]):
        one = {"mark": f"of {n}", "source": "127.22.0.1"}
        counted["network"] += try_to_enter(sites[n % 2], item, session, **one)
    return dict(counted)


def refused_at_the_gate(item: SaleItem, user: User) -> int:
    """Attempt ten times where three a minute are let; return how often he was told to slow down."""
    with running_gate(ATTEMPTS_PER_MINUTE="3") as gate:
        told = [attempt_at(gate, item, bearer(a_pass(item, user)))[0] for _ in range(10)]
        _until_told(item, told.count(429))
    return told.count(429)


def _until_told(item: SaleItem, count: int) -> None:
    """Wait until the gate has told the store, which it does once a second."""
    deadline = time.monotonic() + 10
    while stock.run(stock.flow(item.sale_id)).outcomes.get("slow_down") != count:
        assert time.monotonic() < deadline, "the gate did not tell what it refused"
        time.sleep(0.1)


def test_refusals_of_all_processes_are_told_on_the_live_page_and_in_the_report(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, other, crowd = make_sale(), make_sale(), shoppers(1 + 65 + 125)
    sessions = sessions_of(crowd)
    with running_site() as first, running_site() as second:
        counted = refused_at_the_entry([first, second], item, sessions)
    counted["attempts"] = refused_at_the_gate(item, crowd[0])
    assert all(counted.values()), counted
    merchandiser = staff("merchandiser")
    text = live(merchandiser, item)
    for name, count in counted.items():
        assert f"{TITLES[name]} {count} " in text
    assert f"{TITLES['network']} 0 " in live(merchandiser, other), "each sale has counts of its own"
    assert sampling.look(item.sale).attempts == 10, "a refusal at the entry is no attempt"  # type: ignore[union-attr]
    sampling.take()
    assert f"{TITLES['browser']}: {counted['browser']}" in words(merchandiser.get(at(item, "report")))
    rows = list(csv.reader(StringIO(merchandiser.get(at(item, "report.csv")[:-1]).content.decode())))
    assert [row for row in rows if row[0] == "refused"] == [
        ["refused", name, str(counted[name])] for name in TITLES
    ]


def test_checks_that_were_not_passed_are_told_by_kind(as_bea: Client, make_sale: MakeSale) -> None:
    item, working = make_sale(), make_sale(proof_of_work=True)
    change(item.sale, captcha=True, question="Which wood?", answers="Oak")
    enter(as_bea, item, answer="beech")
    enter(as_bea, item, answer="beech", captcha="XXXX", captcha_key="none")
    enter(as_bea, item)
    enter(as_bea, working, work="spoilt")
    assert stock.run(stock.flow(item.sale_id)).refused == {"question": 2, "captcha": 1}
    merchandiser = staff("merchandiser")
    assert "Other letters 1 Other answers to the question 2 " in live(merchandiser, item)
    assert "Proof of work that did not count 1 " in live(merchandiser, working)


def test_links_that_were_one_too_many_count_by_account(as_bea: Client, make_sale: MakeSale) -> None:
    item = make_sale(question="Which wood?", answers="Oak")
    for _ in range(11):
        enter(as_bea, item, way="link")
    refused = stock.run(stock.flow(item.sale_id)).refused
    assert set(refused) == {"account"}
    assert 1 <= refused["account"] <= 6, "five an hour; ten where an hour ends meanwhile"


def test_whoever_is_let_in_costs_nothing(
    as_bea: Client, make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(question="Which wood?", answers="Oak")
    calls: list[object] = []
    monkeypatch.setattr(stock, "run", calls.append)
    assert enter(as_bea, item, answer="oak").status_code == 302
    assert calls == []
    enter(as_bea, item, way="new")
    assert calls == []
    monkeypatch.undo()


def test_without_the_sales_memory_the_limits_go_on(
    as_bea: Client, make_sale: MakeSale, settings: Settings
) -> None:
    item = make_sale()
    refusals.count(sale=item.sale, limits=["user"])
    sampling.take()
    caches: dict[str, Any] = {name: dict(options) for name, options in settings.CACHES.items()}
    caches["sale"]["LOCATION"] = NOWHERE
    settings.CACHES = caches
    told = [as_bea.post(address(item, "enter")).status_code for _ in range(21)]
    assert set(told) == {302, 429}
    text = live(staff("merchandiser"), item)
    assert "The sale's memory does not answer" in text
    assert f"{TITLES['account']} 1 " in text, "what was seen last"


def test_the_counts_go_with_the_sales_other_keys(make_sale: MakeSale) -> None:
    item = make_sale()
    refusals.count(sale=item.sale, limits=["ip", "device"])
    assert stock.run(stock.flow(item.sale_id)).refused == {"network": 1, "browser": 1}
    stock.run(stock.forget(item.sale_id, [item.pk]))
    refusals.count(sale=item.sale, limits=["ip"])  # who came late
    assert get_redis_connection("sale").keys(f"fs:{{{item.sale_id}}}:*") == []
