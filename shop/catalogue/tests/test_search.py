"""Finding a product by words, rightly and wrongly spelt."""

import pytest
from django.contrib.postgres.search import SearchQuery, TrigramWordDistance
from django.db import connection
from django.test import Client

from shop.catalogue import search
from shop.catalogue.models import Product
from shop.catalogue.tests.shelf import a_product

pytestmark = pytest.mark.django_db


def found(text: str) -> list[str]:
    return [product.title for product in search.matching(text=text)]


def near(text: str) -> list[str]:
    return [product.title for product in search.nearly(text=text)]


def test_a_word_in_the_title_outweighs_one_in_the_text() -> None:
    a_product("Oak Table", body="<p>Looks well under a lamp.</p>")
    a_product("Desk Lamp")
    a_product("Shade", tags="lamp, paper")
    assert found("lamp") == ["Desk Lamp", "Shade", "Oak Table"]


def test_words_are_found_in_every_form() -> None:
    a_product("Knitted Pillows")
    assert found("pillow") == ["Knitted Pillows"]
    assert found("KNITTING pillows") == ["Knitted Pillows"]


def test_all_words_must_be_there_and_some_may_be_excluded() -> None:
    a_product("Red Lamp")
    a_product("Red Sofa")
    assert found("red lamp") == ["Red Lamp"]
    assert found("red -lamp") == ["Red Sofa"]
    assert found('"lamp red"') == []


def test_what_was_renamed_is_found_by_its_new_name_at_once() -> None:
    a_product("Lamp")
    Product.objects.update(title="Lantern")
    assert found("lantern") == ["Lantern"]
    assert found("lamp") == []


def test_tags_of_the_description_are_no_words() -> None:
    a_product("Jug", body='<table class="lamp"><tr><td>Blue</td></tr></table>')
    assert found("blue") == ["Jug"]
    assert found("table") == []


def test_what_is_not_published_is_not_found() -> None:
    a_product("Lamp", published=False)
    assert found("lamp") == []
    assert near("lamp") == []


@pytest.mark.parametrize("typed", ["lantren", "lanten", "strom lantern", "stormlantern", "lant"])
def test_a_typing_error_finds_the_nearest_title(typed: str) -> None:
    a_product("Storm Lantern")
    a_product("Watering Can")
    assert near(typed) == ["Storm Lantern"]


def test_nothing_is_near_to_nonsense() -> None:
    a_product("Storm Lantern")
    assert near("xyzzyqq") == []


def test_at_most_twelve_near_ones_are_shown() -> None:
    for number in range(14):
        a_product(f"Lantern {number}")
    assert len(near("lantren")) == 12


def test_both_searches_have_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    by_words = Product.objects.filter(search=SearchQuery("lamp", config="english")).order_by()
    by_shape = Product.objects.order_by(TrigramWordDistance("lamp", "title"))[:12]
    assert "Index Scan on product_search" in by_words.explain()
    assert "Index Scan using product_title_trigram" in by_shape.explain()


def test_the_page_ranks_what_it_found_and_counts_it(client: Client) -> None:
    a_product("Desk Lamp")
    page = client.get("/search/?q=lamps").content.decode()
    assert "1 product found" in page
    assert "Desk Lamp" in page


def test_the_page_offers_similar_names_for_a_typing_error(client: Client) -> None:
    a_product("Storm Lantern")
    page = client.get("/search/?q=lantren").content.decode()
    assert "Nothing matches “lantren” exactly" in page
    assert "1 product has a similar name." in page
    assert "Storm Lantern" in page


def test_the_page_says_what_to_do_when_nothing_was_found(client: Client) -> None:
    page = client.get("/search/?q=xyzzyqq").content.decode()
    assert "Nothing matches “xyzzyqq”" in page
    assert "Try fewer words or another spelling, or look through the catalogue." in page


def test_without_words_the_page_asks_for_some(client: Client) -> None:
    page = client.get("/search/?q=+").content.decode()
    assert "What are you looking for?" in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("a" * 201, "Search with at most 200 characters."), ("a%00b", "Null characters are not allowed.")],
)
def test_what_cannot_be_searched_is_said(client: Client, typed: str, sentence: str) -> None:
    answer = client.get(f"/search/?q={typed}")
    assert answer.status_code == 200
    assert answer.content.decode().count(sentence) == 2


@pytest.mark.parametrize("typed", ["'", '"', "\\", ":*", "a & | !", "((", "<b>", "%", "🏮", "the"])
def test_no_sign_breaks_the_search(client: Client, typed: str) -> None:
    answer = client.get("/search/", {"q": typed})
    assert answer.status_code == 200
    assert b"<b>" not in answer.content
