"""Pages that any cache may keep: nothing personal is on them, and what is known is not sent again."""

import pytest
from django.test import Client

from shop.catalogue import demo
from shop.catalogue.models import Product

pytestmark = pytest.mark.django_db
HEADERS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def addresses() -> list[str]:
    demo.load()
    product = Product.objects.all()[0].get_absolute_url()
    return ["/", "/catalogue/", product, "/search/?q=lamp", "/sales/", "/help/"]


def test_a_public_page_may_be_kept_sets_no_cookie_and_varies_by_language_and_choice(
    client: Client, addresses: list[str]
) -> None:
    for address in addresses:
        page = client.get(address)
        assert page["Cache-Control"] == "public, max-age=0, s-maxage=15"
        assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))
        assert not page.cookies
        assert "csrfmiddlewaretoken" not in page.content.decode()


def test_everybody_gets_the_same_public_page(
    client: Client, admin_client: Client, addresses: list[str]
) -> None:
    guest = Client()
    variant = Product.objects.get(handle="linen-shirt").variants.all()[0]
    guest.post("/cart/add/", {"variant": variant.pk, "quantity": 2}, headers=HEADERS)
    guest.get("/cart/")
    for address in addresses:
        page = client.get(address).content
        assert guest.get(address).content == page
        assert admin_client.get(address).content == page


def test_a_copy_that_is_still_right_is_not_sent_again(client: Client, addresses: list[str]) -> None:
    for address in addresses:
        page = client.get(address)
        again = client.get(address, headers={"If-None-Match": page["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again["Cache-Control"] == page["Cache-Control"]


def test_a_page_of_a_product_that_sold_is_sent_anew(client: Client, addresses: list[str]) -> None:
    product = Product.objects.get(handle="linen-shirt")
    etag = client.get(product.get_absolute_url())["ETag"]
    product.variants.update(stock=0)
    assert client.get(product.get_absolute_url(), headers={"If-None-Match": etag}).status_code == 200


def test_the_browser_is_told_how_many_things_are_in_the_cart(client: Client, addresses: list[str]) -> None:
    variant = Product.objects.get(handle="linen-shirt").variants.all()[0]
    added = client.post("/cart/add/", {"variant": variant.pk, "quantity": 2})
    assert added.cookies["cart_count"].value == "2"
    assert "cart_count" not in client.get("/cart/").cookies
    assert client.post("/cart/remove/", {"variant": variant.pk}).cookies["cart_count"].value == "0"


def test_a_message_makes_the_next_page_a_private_one(client: Client, addresses: list[str]) -> None:
    variant = Product.objects.get(handle="linen-shirt").variants.all()[0]
    refused = client.post("/cart/add/", {"variant": variant.pk, "quantity": 90})
    page = client.get(refused["Location"])
    assert "notice-bad" in page.content.decode()
    assert "public" not in page["Cache-Control"]


def test_a_page_that_rests_on_the_session_is_for_one_browser(client: Client) -> None:
    assert client.get("/cart/")["Cache-Control"] == "private, no-cache"


def test_a_page_that_is_not_there_is_not_kept(client: Client) -> None:
    assert "public" not in client.get("/catalogue/?category=nothing").get("Cache-Control", "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 302),
        ({"Origin": "http://testserver"}, 302),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_form_without_a_token_is_believed_from_our_own_pages_only(
    addresses: list[str], headers: dict[str, str], status: int
) -> None:
    strict = Client(enforce_csrf_checks=True)
    variant = Product.objects.get(handle="linen-shirt").variants.all()[0]
    assert strict.post("/cart/add/", {"variant": variant.pk}, headers=headers).status_code == status


def test_a_form_without_a_token_still_takes_one(addresses: list[str]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.get("/accounts/login/")
    variant = Product.objects.get(handle="linen-shirt").variants.all()[0]
    fields = {"variant": variant.pk, "csrfmiddlewaretoken": strict.cookies["csrftoken"].value}
    assert strict.post("/cart/add/", fields).status_code == 302
