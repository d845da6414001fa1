"""Health on a sale's live page: what web and the live processes say of themselves."""

import time
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from accounts.models import User
from flashsale.cockpit import health, presence, pushing
from flashsale.live.metrics import ROLE
from flashsale.models import SaleItem
from flashsale.tests.conftest import MakeShoppers
from flashsale.tests.gates import running_live
from flashsale.tests.pages import words
from flashsale.tests.streams import Stream, listening, watching
from flashsale.tests.test_admin_verbs import at, staff
from flashsale.tests.test_degraded import NOWHERE
from shop import lately, processes

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
FAST, SLOW, ENDLESS = 0, 8, len(lately.BOUNDS)


@pytest.fixture(autouse=True)
def _nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_minute", lately.Minute())
    cache.clear()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let another process say its figures."""

    def say(name: str, role: str, *figures: int) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(processes, "BORN", name)
            processes.tell(role, figures)

    return say


@pytest.fixture
def live() -> Iterator[str]:
    with running_live(LIVE_MAX_CONNECTIONS="1000") as address:
        yield address


def requests(**places: int) -> list[int]:
    counts = [0] * (len(lately.BOUNDS) + 1)
    for name, many in places.items():
        counts[{"fast": FAST, "slow": SLOW, "endless": ENDLESS}[name]] = many
    return counts


def of(role: str) -> tuple[str, str]:
    """Return the state and the figure of a role."""
    (one,) = (one for one in health.look(None) if one.role == role)
    return one.state, one.figure


def shown(client: Client, item: SaleItem) -> str:
    """Draw the page anew, without forgetting what the processes said."""
    cache.delete(f"cockpit:{item.sale_id}:figures:en")
    return words(client.get(at(item, "live")))


def test_web_is_judged_by_all_its_processes(process: Callable[..., None]) -> None:
    assert of("Web") == ("unknown", "no process was heard")
    process("a", lately.ROLE, *requests(fast=100))
    assert of("Web") == ("ok", "p99 about 5 ms over the last minute, 1 process")
    process("b", lately.ROLE, *requests(slow=100))
    assert of("Web") == ("slow", "p99 about 2,470 ms over the last minute, 2 processes")
    process("c", lately.ROLE, *requests(fast=10, endless=90))
    assert of("Web") == ("slow", "p99 above 10 s over the last minute, 3 processes")


def test_the_fullest_live_process_is_named(process: Callable[..., None]) -> None:
    assert of("Live") == ("unknown", "no process was heard")
    process("a", ROLE, 1, 18_000)
    process("b", ROLE, 5_000, 6_000)
    assert of("Live") == ("ok", "open pages: 5,001 on 2 processes; 5,000 of 6,000 on the fullest")
    process("b", ROLE, 5_999, 6_000)
    assert of("Live")[0] == "slow"
    process("c", ROLE, 0, 0)  # one that lets nobody in
    assert of("Live")[1].startswith("open pages: 6,000 on 3 processes")


def test_a_request_and_an_open_stream_are_shown(live: str, make_sale: Make, shoppers: MakeShoppers) -> None:
    item, (ann,), client = make_sale(), shoppers(1), staff("auditor")
    client.get(at(item, "live"))
    assert "ms over the last minute, 1 process" in shown(client, item)
    with listening(live, item, ann) as stream:
        stream.wait("own")
        text, until = "", time.monotonic() + 4 * processes.EVERY
        while "open pages: 1 on 1 process; 1 of 1,000 on the fullest" not in text:
            assert time.monotonic() < until, text
            time.sleep(0.2)
            text = shown(client, item)


def test_whoever_watches_is_pushed_both(live: str, make_sale: Make, process: Callable[..., None]) -> None:
    item, boss = make_sale(), User.objects.create_superuser("mei@example.com")
    process("a", lately.ROLE, *requests(fast=100))
    process("a", ROLE, 700, 18_000)
    presence.seen(sale_id=item.sale_id, user=boss, language="en")
    stream = Stream(live, *watching(item, boss))
    pushing.tell()
    frame = stream.wait("figures").data["frame"]
    stream.close()
    assert "p99 about 5 ms over the last minute, 1 process" in frame
    assert "700 of 18,000 on the fullest" in frame


def test_without_the_cache_the_page_stands_and_says_what_it_does_not_know(
    make_sale: Make, settings: Settings
) -> None:
    item, client = make_sale(), staff("auditor")
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": NOWHERE}}
    response = client.get(at(item, "live"))
    assert response.status_code == 200
    text = words(response)
    assert "Web not known the cache does not answer" in text
    assert "Live not known the cache does not answer" in text
    assert "adds up in both stores" in text


def test_a_live_process_without_the_cache_serves_and_is_not_heard(
    make_sale: Make, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    with running_live(CACHE_URL=NOWHERE) as alone, listening(alone, item, ann) as stream:
        stream.wait("own")
        assert of("Live") == ("unknown", "no process was heard")


def test_it_is_said_in_chinese(process: Callable[..., None]) -> None:
    process("a", ROLE, 7, 100)
    with translation.override("zh-hans"):
        told = {one.role: one.figure for one in health.look(None)}
    assert "打开的页面" in " ".join(told.values())
    assert "open pages" not in " ".join(told.values())
