"""What a page may weigh and cost: bytes as they travel, elements, requests, queries, and nothing that moves.

A page is quick because it is light; its time is asserted once, against a whole second, and with patience.
"""

import gzip
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Browser
from pytest_django import DjangoAssertNumQueries

from shop.catalogue import demo
from shop.catalogue.models import Product
from tests.conftest import DESK, PHONE

KB = 1000
LISTS = ["/", "/catalogue/", "/catalogue/?category=lamps", "/search/?q=lamp", "/help/"]
QUERIES = {"/": 5, "/catalogue/": 5, "/search/?q=lamp": 4, "/help/": 0, "/cart/": 0, "/robots.txt": 0}
WITHIN = 1000
"""Milliseconds until the largest thing in the first screen is painted, on this machine's own network."""
TRIES = 20
MOST_NODES = 900
OBSERVE = """
  window.seen = { shift: 0, paint: Infinity };
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) seen.shift += one.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => { seen.paint = list.getEntries().at(-1).startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
"""


def travels(content: bytes) -> int:
    """Return how many bytes a page is once it is compressed."""
    return len(gzip.compress(content, 6))


def sent(path: str) -> int:
    """Return how many bytes a static file is on its way."""
    found = finders.find(path)
    assert isinstance(found, str), path
    with open(found, "rb") as file:  # noqa: PTH123 - a path of the finder
        return travels(file.read())


def scripts(page: str) -> set[str]:
    return set(re.findall(r'src="/static/(js/[^"]+)"', page))


@pytest.mark.django_db
def test_pages_are_light(client: Client) -> None:
    demo.load()
    product = Product.objects.get(handle="arc-desk-lamp").get_absolute_url()
    assert sent("css/shop.css") <= 16 * KB
    for address in [*LISTS, product, "/cart/", "/accounts/login/"]:
        page = client.get(address).content
        assert travels(page) <= 12 * KB, address
        assert sum(map(sent, scripts(page.decode()))) <= 4 * KB, address


def test_own_pictures_are_light_and_stand_alone() -> None:
    foreign = re.compile(r"<script|<text|<foreignObject|@font-face|(?:href|src)\s*=\s*.(?!#)|url\((?!#)")
    for _, storage in ((finder, finder.storages) for finder in finders.get_finders()):  # type: ignore[attr-defined]
        for store in storage.values():
            names = store.listdir("products")[1] if store.exists("products") else []
            for name in names:
                with store.open(f"products/{name}") as file:
                    content = file.read()
                assert travels(content) <= 6 * KB, name
                assert not foreign.search(content.decode()), name


@pytest.mark.django_db
@pytest.mark.parametrize("address", QUERIES)
def test_a_page_asks_the_database_as_often_as_it_did(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    demo.load()
    client.get(address)
    with django_assert_num_queries(QUERIES[address]):
        assert client.get(address).status_code == 200


@pytest.mark.browser
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_moves_and_the_first_screen_is_there_within_a_second(
    chromium: Browser, shop: str, size: dict[str, int]
) -> None:
    requests: list[str] = []
    for address in [*LISTS, "/catalogue/?category=bags", "/cart/"]:
        paints: list[float] = []
        while not paints or (min(paints) >= WITHIN and len(paints) < TRIES):
            page = chromium.new_page(base_url=shop, viewport=size)  # type: ignore[arg-type]
            page.add_init_script(OBSERVE)
            page.on("request", lambda request: requests.append(request.url))
            page.goto(address, wait_until="networkidle")
            paints.append(page.evaluate("seen.paint"))
            assert page.evaluate("seen.shift") <= 0.01, address
            page.close()
        assert min(paints) < WITHIN, (address, paints)
    assert all(url.startswith(shop) for url in requests), "no page asks another host"


@pytest.mark.browser
def test_a_product_page_has_few_elements_and_asks_for_few_files(chromium: Browser, shop: str) -> None:
    page = chromium.new_page(base_url=shop, viewport=DESK)
    page.goto("/search/?q=arc+desk+lamp", wait_until="networkidle")
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.click(".product-card-title a")
    page.wait_for_load_state("networkidle")
    assert len(requests) <= 10, requests
    assert not [url for url in requests if re.search(r"\.(woff2?|ttf|otf)", url)]
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
    bare = "[...document.images].filter((one) => !one.getAttribute('width')).length"
    assert page.evaluate(bare) == 0
    page.goto("/catalogue/")
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
