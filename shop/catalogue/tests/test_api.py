"""The catalogue for programs."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shop.catalogue.models import ProductImage
from shop.catalogue.tests.shelf import a_category, a_product, a_variant

pytestmark = pytest.mark.django_db


def titles(client: Client, query: str) -> list[str]:
    return [product["title"] for product in client.get(f"/api/catalogue/{query}").json()["results"]]


def test_the_list_tells_what_a_card_tells(client: Client) -> None:
    product = a_product(category=a_category(), vendor="Ember", stock=0)
    ProductImage.objects.create(product=product, source="products/placeholder.svg", alt="A lantern")
    answer = client.get("/api/catalogue/").json()
    assert (answer["count"], answer["next"]) == (1, None)
    assert answer["results"] == [
        {
            "id": product.pk,
            "handle": "storm-lantern",
            "title": "Storm Lantern",
            "url": f"http://testserver/catalogue/{product.pk}/storm-lantern/",
            "vendor": "Ember",
            "kind": "shipped",
            "category": "light",
            "currency": "USD",
            "price": 4900,
            "compare_at": None,
            "is_from_price": False,
            "is_sold_out": True,
            "pictures": [{"url": "http://testserver/static/products/placeholder.svg", "alt": "A lantern"}],
        }
    ]


def test_one_product_comes_with_its_variants(client: Client) -> None:
    product = a_product(price=-1, option_names=["Colour"], body="<p>Bright</p>")
    variant = a_variant(product, "Sand", price=1200, compare_at=1500, stock=3)
    answer = client.get(f"/api/catalogue/{product.pk}/").json()
    assert (answer["body"], answer["option_names"]) == ("<p>Bright</p>", ["Colour"])
    assert answer["variants"] == [
        {
            "id": variant.pk,
            "sku": "storm-lantern-1",
            "options": ["Sand"],
            "label": "Sand",
            "price": 1200,
            "compare_at": 1500,
            "available": 3,
            "slot_place": "",
            "slot_starts_at": None,
        }
    ]


def test_a_list_may_be_narrowed_searched_and_sorted(client: Client) -> None:
    a_product("Desk Lamp", price=300, category=a_category())
    a_product("Oak Table", price=200, body="For a lamp", category=a_category("Wood"))
    assert titles(client, "?category=wood") == ["Oak Table"]
    assert titles(client, "?q=lamp") == ["Desk Lamp", "Oak Table"]
    assert titles(client, "?q=lamp&sort=price-up") == ["Oak Table", "Desk Lamp"]
    assert titles(client, "?q=&category=&sort=") == ["Oak Table", "Desk Lamp"]
    assert titles(client, "?category=nowhere") == []


@pytest.mark.parametrize("query", ["?sort=nonsense", "?q=a%00b", "?q=" + "a" * 201, "?category=%00"])
def test_a_question_that_cannot_be_answered_is_a_bad_request(client: Client, query: str) -> None:
    answer = client.get(f"/api/catalogue/{query}")
    assert answer.status_code == 400
    assert len(answer.json()) == 1


def test_what_is_not_published_is_not_there(client: Client) -> None:
    product = a_product(published=False)
    assert client.get(f"/api/catalogue/{product.pk}/").status_code == 404
    assert titles(client, "") == []


def test_a_page_holds_twenty_four_products_in_four_questions(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(25):
        a_product(f"Lamp {number}")
    with django_assert_num_queries(4):
        answer = client.get("/api/catalogue/").json()
    assert (answer["count"], len(answer["results"])) == (25, 24)
    assert titles(client, "?page=2") == ["Lamp 0"]
    assert client.get("/api/catalogue/?page=3").status_code == 404


def test_the_catalogue_cannot_be_written_through_the_api(client: Client) -> None:
    assert client.post("/api/catalogue/", {}).status_code in (401, 403)
