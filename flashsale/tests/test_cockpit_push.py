"""What operators are told by the live process: who may listen, and that one drawing serves all."""

import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from flashsale.cockpit import presence, pushing
from flashsale.models import SaleItem
from flashsale.passes import ATTEMPT
from flashsale.tests.conftest import MakeShoppers, win
from flashsale.tests.gates import a_pass, ask, bearer, running_live
from flashsale.tests.streams import Stream, cookie, path_of, watching
from flashsale.tests.test_admin_verbs import at, staff

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]


@pytest.fixture(scope="module")
def live() -> Iterator[str]:
    with running_live() as address:
        yield address


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("mei@example.com")


@pytest.fixture(autouse=True)
def nobody_watches() -> None:
    cache.clear()


def heard(stream: Stream) -> str:
    """Publish the figures and return what a stream is told."""
    stream.socket.settimeout(10)
    pushing.tell()
    return str(stream.wait("figures").data["frame"])


def test_whoever_watches_is_told_the_figures_in_his_language(
    live: str, make_sale: Make, shoppers: MakeShoppers, boss: User
) -> None:
    item = make_sale(quantity=3)
    for language in ("en", "zh-hans"):
        presence.seen(sale_id=item.sale_id, user=boss, language=language)
    english, chinese = (
        Stream(live, *watching(item, boss, language="en")),
        Stream(live, *watching(item, boss, language="zh-hans")),
    )
    assert "quantity 3 = free 3 + held 0" in heard(english)
    assert "quantity 3" not in (text := chinese.wait("figures").data["frame"])
    assert "3" in text
    win(item, *shoppers(1))
    cache.delete_many([f"cockpit:{item.sale_id}:figures:{one}" for one in ("en", "zh-hans")])
    assert "quantity 3 = free 2 + held 1" in heard(english)
    for stream in (english, chinese):
        stream.close()


def test_only_an_operators_pass_opens_it_and_it_opens_nothing_else(
    live: str, make_sale: Make, boss: User
) -> None:
    item, other = make_sale(), make_sale()
    path, right = watching(item, boss)
    wrong = [
        {},
        cookie(item, boss),
        bearer(a_pass(item, boss)),
        watching(other, boss)[1],
        watching(item, boss, expires_at=int(time.time()) - 1)[1],
        watching(item, boss, purpose=ATTEMPT)[1],
        right | {"Sec-Fetch-Site": "cross-site"},
    ]
    assert [ask(live, "GET", path, headers)[0] for headers in wrong] == [403] * len(wrong)
    token = right["Cookie"].partition("=")[2]
    assert ask(live, "GET", path_of(item), bearer(token))[0] == 403
    assert ask(live, "GET", f"{path_of(item)}?figures=EN&x", right)[0] == 403
    stream = Stream(live, path, right)
    stream.close()
    assert stream.status == 200


def test_the_live_page_gives_staff_the_pass_and_nobody_else(live: str, make_sale: Make) -> None:
    item, client = make_sale(), staff("auditor")
    page = client.get(at(item, "live"))
    given = client.cookies[django_settings.WATCH_COOKIE]
    assert (given["path"], given["httponly"], given["samesite"]) == (
        f"/gate/sales/{item.sale_id}/",
        True,
        "Strict",
    )
    assert int(given["max-age"]) == 60
    path = f"{path_of(item)}?figures=en"
    assert path in page.content.decode()
    headers = {"Cookie": f"{given.key}={given.value}", "Sec-Fetch-Site": "same-origin"}
    stream = Stream(live, path, headers)
    assert "quantity" in heard(stream)
    stream.close()
    stranger = Client()
    stranger.force_login(
        User.objects.create_user("ann@example.com"), "django.contrib.auth.backends.ModelBackend"
    )
    stranger.get(at(item, "live"))
    assert django_settings.WATCH_COOKIE not in stranger.cookies


def test_one_drawing_serves_all_who_watch(make_sale: Make, boss: User) -> None:
    item = make_sale()
    assert pushing.tell() == 0
    presence.seen(sale_id=item.sale_id, user=boss, language="en")
    with CaptureQueriesContext(connection) as alone:
        assert pushing.tell() == 1
    for number in range(9):
        user = User.objects.create_superuser(f"boss{number}@example.com")
        presence.seen(sale_id=item.sale_id, user=user, language="en")
    cache.delete(f"cockpit:{item.sale_id}:figures:en")
    with CaptureQueriesContext(connection) as among_ten:
        assert pushing.tell() == 1
    assert len(among_ten) <= len(alone)


def test_whoever_has_left_is_forgotten(make_sale: Make, boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    item = make_sale()
    presence.seen(sale_id=item.sale_id, user=boss, language="en")
    assert presence.names(item.sale_id) == [boss.email]
    monkeypatch.setattr(presence, "SECONDS", 0.0)
    assert (presence.names(item.sale_id), presence.watched()) == ([], [])
