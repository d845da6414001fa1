"""What every page must withstand, whatever it is about: generated from the table of addresses."""

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD
from flashsale.cockpit.live import csv_file
from flashsale.tests import access
from flashsale.tests.access import ADMIN, BUYER, ROLES, TABLE
from flashsale.tests.conftest import MakeSale
from flashsale.tests.pages import enter

SIGNED = {"stripe-webhook", "no-mail", "edge-report"}
"""Believed by a signature, not by a cookie: the bank, the link that stops mails, the edge."""

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "https:evil.example",
    "javascript:x",
)


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


def _role(letters: str) -> str | None:
    """The first of admin, buyer and nobody whom an address lets in or looks something up for."""
    wanted = (ADMIN, BUYER, "anonymous")
    return next((role for role in wanted if letters[ROLES.index(role)] in "yn"), None)


def _takes_without_token(name: str, address: str) -> bool:
    client = Client(enforce_csrf_checks=True)
    client.cookies = access.browser_of(str(_role(TABLE[name].post))).cookies
    origins: tuple[dict[str, str], ...] = (
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    )
    return any(client.post(address, headers=origin).status_code != 403 for origin in origins)


def test_no_post_is_taken_without_its_token(make_sale: MakeSale) -> None:
    stage = access.set_stage(make_sale)
    names = {name for name, row in TABLE.items() if _role(row.post)} - SIGNED
    assert [name for name in names if _takes_without_token(name, stage.address(name))] == []


def test_with_its_token_the_same_post_is_taken(make_sale: MakeSale) -> None:
    stage = access.set_stage(make_sale)
    client = Client(enforce_csrf_checks=True)
    client.cookies = access.browser_of(BUYER).cookies
    page = client.get("/accounts/addresses/add/").content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    posted = {"csrfmiddlewaretoken": token}
    assert client.post(stage.address("address-delete"), posted).status_code == 302


def test_every_answer_forbids_frames_and_guessing_its_type(make_sale: MakeSale) -> None:
    stage = access.set_stage(make_sale)
    for name in (name for name, row in TABLE.items() if _role(row.get)):
        answer: Any = access.browser_of(str(_role(TABLE[name].get))).get(stage.address(name))
        assert answer["X-Frame-Options"] == "DENY", name
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], name
        assert "Content-Security-Policy-Report-Only" not in answer, name


@pytest.mark.django_db
def test_a_login_begins_a_new_session_and_a_logout_ends_it() -> None:
    User.objects.create_user("ann@example.com", PASSWORD)
    client = Client()
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    planted = client.cookies["sessionid"].value
    client.post("/accounts/login/", {"login": "ann@example.com", "password": PASSWORD})
    own = client.cookies["sessionid"].value
    assert own != planted
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert attacker.get("/accounts/").status_code == 302
    assert client.get("/accounts/").status_code == 200
    client.post("/accounts/logout/")
    client.cookies["sessionid"] = own
    assert client.get("/accounts/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "shop.example@evil.example", ""])
def test_another_host_name_is_refused_and_gets_into_no_mail(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    User.objects.create_user("ann@example.com", PASSWORD)
    answer = Client(headers={"host": host}).post("/accounts/password/reset/", {"email": "ann@example.com"})
    assert answer.status_code == 400
    assert mail.outbox == []
    good = Client(headers={"host": "shop.example"})
    good.post("/accounts/password/reset/", {"email": "ann@example.com"}, headers={"X-Forwarded-Host": host})
    assert "evil" not in mail.outbox[0].body


@pytest.mark.django_db
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_nobody_is_led_to_another_site(elsewhere: str, make_sale: MakeSale) -> None:
    access.set_stage(make_sale)
    staff = User.objects.get(email=f"{ADMIN}@example.com")
    doors = [
        ("/accounts/login/", {"login": staff.email, "password": PASSWORD}),
        ("/admin/login/", {"username": staff.email, "password": PASSWORD}),
        ("/accounts/logout/", {}),
        ("/language/", {"language": "en"}),
        ("/scheme/", {"scheme": "dark"}),
    ]
    for door, fields in doors:
        answer = Client().post(
            f"{door}?next={elsewhere}", {**fields, "next": elsewhere}, headers={"Referer": elsewhere}
        )
        assert answer.status_code == 302, door
        assert re.match(r"/(?![/\\])", answer["Location"]), door


def test_every_cookie_stays_on_https_and_out_of_other_sites(settings: Settings, make_sale: MakeSale) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.DEBUG = False
    User.objects.create_user("ann@example.com", PASSWORD)
    client = Client()
    client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", {"login": "ann@example.com", "password": PASSWORD}, secure=True)
    enter(client, make_sale())
    client.post("/scheme/", {"scheme": "dark"}, secure=True)
    assert {"sessionid", "csrftoken", "device", settings.PASS_COOKIE} <= set(client.cookies)
    for name, cookie in client.cookies.items():
        assert cookie["secure"], name
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert cookie["httponly"] or name in ("csrftoken", "scheme", "cart"), name


def test_a_group_gives_no_more_than_its_own(make_sale: MakeSale) -> None:
    access.set_stage(make_sale)
    for name in ("support", "merchandiser"):
        rights = set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))
        assert not {right for right in rights if right.endswith(("_user", "_group", "_permission"))} - {
            "view_user"
        }


@pytest.mark.django_db
def test_the_door_of_the_admin_locks_after_five_wrong_passwords_and_only_for_whoever_guesses(
    settings: Settings,
) -> None:
    User.objects.create_superuser("boss@example.com", PASSWORD)
    wrong = {"username": "boss@example.com", "password": "wrong-wrong-wrong"}
    right = {"username": "boss@example.com", "password": PASSWORD}

    def told(fields: dict[str, str], peer: str) -> int:
        return Client(REMOTE_ADDR=peer).post("/admin/login/?next=/admin/", fields).status_code

    assert [told(wrong, "192.0.2.1") for _ in range(5)] == [200, 200, 200, 200, 429]
    assert told(right, "192.0.2.1") == 429
    assert told({**right, "username": "Boss@Example.com"}, "192.0.2.1") == 429
    assert told(right, "192.0.2.9") == 302
    settings.AXES_ENABLED = False
    assert told(right, "192.0.2.1") == 302


@pytest.mark.django_db
def test_wrong_passwords_at_the_shops_own_door_lock_nobody_out_of_the_admin() -> None:
    User.objects.create_superuser("boss@example.com", PASSWORD)
    for _ in range(8):
        Client().post("/accounts/login/", {"login": "boss@example.com", "password": "wrong-wrong-wrong"})
    answer = Client().post("/admin/login/", {"username": "boss@example.com", "password": PASSWORD})
    assert answer.status_code == 302


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_an_export_is_a_formula(cell: str) -> None:
    rows = list(
        csv.reader(io.StringIO(csv_file("a.csv", [[cell, "lamp", "-3", 4]]).content.decode(), newline=""))
    )
    assert rows == [["'" + cell, "lamp", "-3", "4"]]
