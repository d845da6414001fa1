"""What a page of a sale weighs, as production serves it to a browser that knows nothing yet."""

import gzip
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response

from flashsale.tests.browsing import serve_joined
from flashsale.tests.conftest import Show
from flashsale.tests.staged import Cast, Staged
from flashsale.tests.states import before, reserved, standby, waiting
from shop.squeezed import squeezed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
KB = 1024
EDGE_LEVEL = 6
"""How hard docker/nginx/nginx.conf compresses pages; files are compressed as hard as can be."""
KINDS = {"document", "stylesheet", "script", "image", "other"}


class Loaded(NamedTuple):
    """One file of a first view: its address, what kind it is, and its bytes on the way, without headers."""

    url: str
    kind: str
    size: int


Load = Callable[[Callable[[Cast], Staged]], list[Loaded]]


@pytest.fixture
def load(cast: Cast, show: Show) -> Load:
    """Bring a state about and load its page; return what was loaded, but for the gate's figures."""

    def load(state: Callable[[Cast], Staged]) -> list[Loaded]:
        answers: list[Response] = []

        def hear(answer: Response) -> None:  # the driver takes no method of a list
            answers.append(answer)

        def watch(page: Page) -> None:
            page.on("response", hear)
            page.route("**/gate/**", lambda route: route.abort())
            serve_joined(page)

        show(state(cast), before=watch).wait_for_load_state("networkidle")
        return [Loaded(one.url, one.request.resource_type, _size(one)) for one in answers if one.ok]

    return load


def _size(answer: Response) -> int:
    path = urlsplit(answer.url).path
    if not path.startswith("/static/"):
        return len(gzip.compress(answer.body(), EDGE_LEVEL))
    served = squeezed(path.removeprefix("/static/"), answer.text())
    return len(gzip.compress(served.encode(), 9))


def weight(loaded: list[Loaded], *kinds: str) -> int:
    return sum(one.size for one in loaded if one.kind in (kinds or KINDS))


def test_the_page_of_the_line_fits_into_one_first_flight(
    load: Load, record_testsuite_property: Callable[[str, object], None]
) -> None:
    loaded = load(waiting)
    record_testsuite_property("bytes of 14,336", weight(loaded))  # shown by `--junitxml=FILE`
    assert {one.kind for one in loaded} == {"document", "stylesheet", "script", "other"}
    assert len(loaded) == 4, loaded
    assert weight(loaded) <= 14 * KB, loaded


@pytest.mark.parametrize("state", [before, waiting, reserved, standby], ids=lambda state: state.__name__)
def test_a_page_of_a_sale_keeps_its_budget_and_asks_nobody_else(
    load: Load, site: str, state: Callable[[Cast], Staged]
) -> None:
    loaded = load(state)
    assert [one.url for one in loaded if not one.url.startswith(site)] == []
    assert {one.kind for one in loaded} <= KINDS, "no fonts"
    assert weight(loaded, "script") <= 12 * KB
    assert weight(loaded, "document") <= 12 * KB
