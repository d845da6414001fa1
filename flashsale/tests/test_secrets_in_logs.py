"""Nothing that lets somebody in is ever logged: passes, receipts, cookies, passwords, keys."""

import logging
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.tests.conftest import PASSWORD
from flashsale import draining
from flashsale.passes import Signer
from flashsale.tests.conftest import MakeSale
from flashsale.tests.gates import ask, attempt_at, bearer, running_gate
from flashsale.tests.pages import address, enter, press

pytestmark = pytest.mark.django_db(transaction=True)


def _found(secrets: dict[str, str], text: str) -> list[str]:
    return [name for name, secret in secrets.items() if secret in text]


def test_the_search_finds_what_was_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("flashsale.gate").warning("Refused: %s", "p.1234.5")
    assert _found({"pass": "p.1234.5", "key": "another"}, caplog.text) == ["pass"]


def test_a_purchase_leaves_no_secret_in_any_log(
    make_sale: MakeSale, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    item, client = make_sale(), Client()
    ann = User.objects.create_user("ann@example.com", PASSWORD)
    client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD})
    enter(client, item)
    cookies = {name: cookie.value for name, cookie in client.cookies.items() if len(cookie.value) > 8}
    a_pass = cookies[settings.PASS_COOKIE]
    assert {"sessionid", "device", settings.PASS_COOKIE} <= set(cookies)
    forged = Signer(["other"]).issue(sale=item.sale_id, user=ann.pk, expires_at=2_000_000_000)
    with running_gate(says=tmp_path / "gate.log", LOG_LEVEL="DEBUG") as gate:
        told = attempt_at(gate, item, bearer(a_pass))[1]
        attempt_at(gate, item, bearer(forged))
        ask(gate, "POST", f"/gate/sales/1/items/1/attempt?pass={a_pass}", bearer(a_pass))
    press(client, item)
    draining.drain_once(sale_id=item.sale_id)
    client.get(f"/sales/reservations/{told['reservation']}/")
    client.post(address(item, "enter"), {"link": a_pass})
    secrets = cookies | {"receipt": told["receipt"], "forged": forged, "password": PASSWORD}
    secrets |= {"key": settings.SECRET_KEY, "mac": a_pass.rpartition(".")[2]}
    assert _found(secrets, caplog.text + (tmp_path / "gate.log").read_text()) == []
