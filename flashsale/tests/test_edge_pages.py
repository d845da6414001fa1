"""The edge in front of real pages: what it keeps, what it never keeps, and whose address the shop sees."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from django.test import Client

from accounts.models import User
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale, MakeShoppers, win
from flashsale.tests.edges import needs_nginx, running_edge
from flashsale.tests.gates import ask
from flashsale.tests.network import wire_to
from flashsale.tests.pages import address
from shop.catalogue import demo
from shop.catalogue.models import Product

pytestmark = [needs_nginx, pytest.mark.django_db(transaction=True)]
REQUESTS = 'shop_request_seconds_count{method="GET",status="200",view="%s"} '


@pytest.fixture(scope="module")
def site(django_db_setup: None) -> Iterator[str]:
    with running_site(CLIENT_ADDRESS_HEADER="X-Forwarded-For", TRUSTED_PROXIES="127.0.0.0/8") as address:
        yield address


@pytest.fixture(scope="module")
def edge(site: str) -> Iterator[str]:
    with running_edge(gate=site) as address:
        yield address


@pytest.fixture
def goods(transactional_db: None) -> None:
    demo.load()


def drawn(site: str, view: str = "home") -> int:
    """How often web has drawn a page."""
    sign = re.escape((REQUESTS % view).encode())
    found = re.search(sign + rb"([0-9.]+)", ask(site, "GET", "/metrics")[2])
    return int(float(found[1])) if found else 0


def session_of(user: User) -> str:
    """The cookie of somebody who is logged in."""
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


def test_a_crowd_at_the_front_page_is_a_drawing_a_second(site: str, edge: str, goods: None) -> None:
    before, started = drawn(site), time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(edge, "GET", "/"), range(300)))
    assert {status for status, _, _ in answers} == {200}
    seconds = time.monotonic() - started
    assert 1 <= drawn(site) - before <= seconds + 2


def test_a_public_page_is_shown_from_its_copy_while_web_is_slow_to_draw_a_newer_one(
    site: str, goods: None
) -> None:
    with wire_to(site) as wire, running_edge(gate=site, web=wire.url) as edge:
        first = ask(edge, "GET", "/")
        wire.state = "deaf"  # what is asked arrives there, and no answer comes back
        time.sleep(1.2)  # the copy is old
        second = ask(edge, "GET", "/")
        assert (first[0], second[0]) == (200, 200)
        assert second[2] == first[2]
        assert ask(edge, "GET", "/catalogue/")[0] == 503  # the control: of this one there is no copy


def test_whoever_is_logged_in_gets_the_same_public_page_and_his_own_private_ones(
    edge: str, goods: None, shoppers: MakeShoppers
) -> None:
    (ann,) = shoppers(1)
    cookie = {"Cookie": session_of(ann)}
    public = ask(edge, "GET", "/", cookie)[2]
    assert ann.email.encode() not in public
    mine = ask(edge, "GET", "/accounts/", cookie)
    assert ann.email.encode() in mine[2]
    # Straight after it, without his cookie: nothing of it was kept.
    status, _, body = ask(edge, "GET", "/accounts/")
    assert (status, ann.email.encode() in body) == (302, False)


def test_language_and_colours_have_copies_of_their_own(edge: str, goods: None) -> None:
    plain = ask(edge, "GET", "/catalogue/")[2]
    dark = ask(edge, "GET", "/catalogue/", {"Cookie": "sessionid=x; scheme=dark"})[2]
    chinese = ask(edge, "GET", "/catalogue/", {"Cookie": "django_language=zh-hans"})[2]
    assert len({plain, dark, chinese}) == 3
    assert ask(edge, "GET", "/catalogue/")[2] == plain


def test_a_crowd_of_guests_at_a_sale_is_a_drawing_a_second_and_a_shopper_sees_his_own(
    site: str, edge: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    win(item, bea)
    mine = ask(edge, "GET", address(item), {"Cookie": session_of(bea)})
    assert b"one is yours until" in mine[2]
    before, started = drawn(site, "sale"), time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(edge, "GET", address(item)), range(200)))
    assert {status for status, _, _ in answers} == {200}
    assert not any(b"one is yours until" in body for _, _, body in answers)
    assert 1 <= drawn(site, "sale") - before <= time.monotonic() - started + 2
    again = ask(edge, "GET", address(item), {"Cookie": session_of(bea)})
    assert b"one is yours until" in again[2]


def test_a_message_for_one_reader_is_never_kept(edge: str, goods: None) -> None:
    variant = Product.objects.get(handle="linen-shirt").variants.all()[0]
    path = urlsplit(Product.objects.get(handle="linen-shirt").get_absolute_url()).path
    client = Client()
    refused = client.post(
        "/cart/add/", {"variant": variant.pk, "quantity": 90}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert refused.status_code == 302
    cookies = "; ".join(f"{name}={one.coded_value}" for name, one in client.cookies.items())
    assert b"notice-bad" in ask(edge, "GET", path, {"Cookie": cookies})[2]
    assert b"notice-bad" not in ask(edge, "GET", path)[2]


def statuses(edge: str, header: str) -> set[int]:
    """Ask often, each time with another number in the header."""
    return {
        ask(edge, "GET", "/cart/", {"X-Forwarded-For": header.replace("N", str(n))})[0] for n in range(12)
    }


def test_only_a_trusted_proxy_may_say_whose_address_it_is(site: str, goods: None) -> None:
    limits = {"EDGE_NETWORK_RATE": "1", "EDGE_NETWORK_BURST": "3"}
    with running_edge(gate=site, **limits) as edge:
        # Nobody stands in front: whatever the shopper writes, he is one network.
        assert 429 in statuses(edge, "203.0.N.9")
    with running_edge(gate=site, EDGE_TRUSTED_PROXIES="127.0.0.0/8", **limits) as edge:
        assert statuses(edge, "203.0.N.9") == {200}
        # The last address is the proxy's word; what stands before it the shopper wrote himself.
        assert 429 in statuses(edge, "9.9.N.9, 198.51.100.7")


def guess(edge: str, address: str) -> int:
    """Send an empty login form from an address, as a proxy in front would pass it on; return the status."""
    form = {"X-Forwarded-For": f"10.9.8.7, {address}"}
    _, headers, page = ask(edge, "GET", "/accounts/login/", form)
    token = re.search(rb'csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    cookie = headers["set-cookie"].partition(";")[0]
    return ask(edge, "POST", "/accounts/login/", form | {"Cookie": cookie, "X-CSRFToken": token[1].decode()})[
        0
    ]


def test_the_shop_counts_the_shoppers_address_and_not_the_edges(site: str, goods: None) -> None:
    with running_edge(gate=site, EDGE_TRUSTED_PROXIES="127.0.0.0/8") as edge:
        statuses_of_one = [guess(edge, "203.0.113.77") for _ in range(11)]  # ten in five minutes
        assert (statuses_of_one[0], statuses_of_one[-1]) == (200, 429)
        assert guess(edge, "203.0.114.78") == 200


def test_files_are_kept_and_asked_for_once(site: str, edge: str, goods: None) -> None:
    first = ask(edge, "GET", "/static/css/shop.css")
    assert first[0] == 200
    assert b"color-scheme" in first[2]
