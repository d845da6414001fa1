"""What a shopper sees of the catalogue."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shop.catalogue.models import Product, ProductImage
from shop.catalogue.tests.shelf import a_category, a_product, a_variant

pytestmark = pytest.mark.django_db


def titles(client: Client, address: str) -> list[str]:
    return [product.title for product in client.get(address).context["page_obj"]]


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def a_full_shelf(number: int) -> None:
    shelf = a_category()
    for index in range(number):
        product = a_product(f"Lamp {index:02}", price=1000 + index, category=shelf)
        a_variant(product, "Big", price=9000)
        ProductImage.objects.create(product=product, source="products/placeholder.svg")


def test_the_home_page_shows_categories_and_what_is_new(client: Client) -> None:
    a_product(category=a_category())
    page = text(client, "/")
    assert 'href="/catalogue/?category=light"' in page
    assert "Storm Lantern" in page


def test_an_empty_shop_says_so(client: Client) -> None:
    assert "The shelves are empty" in text(client, "/")
    assert "The shelves are empty" in text(client, "/catalogue/")


def test_pages_ask_the_database_as_often_for_many_products_as_for_one(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    a_full_shelf(30)
    pk = Product.objects.values_list("pk", flat=True)[0]
    for address, queries in [
        ("/", 5),
        ("/catalogue/", 5),
        ("/catalogue/?category=light&sort=price-up&page=2", 5),
        (f"/catalogue/{pk}/", 3),
        ("/search/?q=lamp", 4),
        ("/search/?q=lammp", 4),
        ("/search/", 0),
    ]:
        with django_assert_num_queries(queries):
            assert client.get(address).status_code == 200


def test_a_product_says_on_which_days_it_would_arrive(client: Client) -> None:
    product = a_product(category=a_category())
    said = "Paid today, it should arrive between Monday, 30 November 2026 and Wednesday, 2 December 2026."
    with time_machine.travel("2026-11-26 10:00:00Z", tick=False):
        assert said in text(client, product.get_absolute_url())
        product.variants.update(stock=0)
        assert "should arrive" not in text(client, product.get_absolute_url())
        Product.objects.update(kind="collected")
        product.variants.update(stock=1)
        assert "should arrive" not in text(client, product.get_absolute_url())


def test_a_category_shows_only_its_own_products(client: Client) -> None:
    a_product("Lamp", category=a_category())
    a_product("Jug", category=a_category("Kitchen"))
    assert titles(client, "/catalogue/?category=kitchen") == ["Jug"]
    assert titles(client, "/catalogue/") == ["Jug", "Lamp"]


@pytest.mark.parametrize("slug", ["nowhere", "%00", "a" * 5000])
def test_an_unknown_category_is_not_found(client: Client, slug: str) -> None:
    assert client.get(f"/catalogue/?category={slug}").status_code == 404


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("newest", ["apple", "Cup", "Bowl"]),
        ("name", ["apple", "Bowl", "Cup"]),
        ("price-up", ["Cup", "Bowl", "apple"]),
        ("price-down", ["apple", "Bowl", "Cup"]),
        ("nonsense", ["apple", "Cup", "Bowl"]),
    ],
)
def test_the_list_can_be_sorted(client: Client, sort: str, order: list[str]) -> None:
    for title, price in [("Bowl", 200), ("Cup", 100), ("apple", 300)]:
        a_product(title, price=price)
    assert titles(client, f"/catalogue/?sort={sort}") == order


def test_the_price_of_a_card_is_the_one_it_is_sorted_by(client: Client) -> None:
    product = a_product("Mug", price=-1)
    a_variant(product, "Small", price=100, stock=0)
    a_variant(product, "Large", price=900, stock=2)
    a_product("Bowl", price=500)
    assert titles(client, "/catalogue/?sort=price-up") == ["Bowl", "Mug"]
    assert '<span class="price-now">USD 9.00</span>' in text(client, "/catalogue/")


def test_from_stands_before_a_price_only_if_something_dearer_can_be_had(client: Client) -> None:
    product = a_product("Mug", price=-1)
    a_variant(product, "Small", price=100)
    large = a_variant(product, "Large", price=900)
    assert "from USD 1.00" in text(client, "/catalogue/")
    large.stock = 0
    large.save()
    assert "from USD" not in text(client, "/catalogue/")


def test_twenty_four_products_fill_a_page_and_the_next_keeps_the_order(client: Client) -> None:
    a_full_shelf(25)
    assert titles(client, "/catalogue/?sort=name")[-1] == "Lamp 23"
    assert titles(client, "/catalogue/?sort=name&page=2") == ["Lamp 24"]
    assert 'href="?sort=name&amp;page=2"' in text(client, "/catalogue/?sort=name")


@pytest.mark.parametrize(("page", "last"), [("99", "Lamp 24"), ("x", "Lamp 23"), ("-1", "Lamp 24")])
def test_a_page_that_is_not_there_becomes_one_that_is(client: Client, page: str, last: str) -> None:
    a_full_shelf(25)
    assert titles(client, f"/catalogue/?sort=name&page={page}")[-1] == last


def test_what_is_sold_out_stays_on_the_shelf_and_says_so(client: Client) -> None:
    product = a_product(stock=0)
    assert "Sold out" in text(client, "/catalogue/")
    page = text(client, product.get_absolute_url())
    assert "All of it is sold." in page
    assert 'name="variant"' not in page


def test_few_units_are_told_as_a_number(client: Client) -> None:
    product = a_product(stock=3)
    assert "Only 3 left" in text(client, product.get_absolute_url())


@pytest.mark.parametrize("hidden", [{"published": False}, {"price": -1}])
def test_what_is_not_for_sale_has_no_page(client: Client, hidden: dict[str, bool | int]) -> None:
    product = a_product(**hidden)  # type: ignore[arg-type]
    assert client.get(f"/catalogue/{product.pk}/").status_code == 404
    assert titles(client, "/catalogue/") == []


def test_a_number_too_large_for_any_product_is_not_found(client: Client) -> None:
    assert client.get(f"/catalogue/{10**30}/").status_code == 404


def test_a_wrong_slug_leads_to_the_right_address(client: Client) -> None:
    product = a_product()
    answer = client.get(f"/catalogue/{product.pk}/old-name/")
    assert (answer.status_code, answer["Location"]) == (302, f"/catalogue/{product.pk}/storm-lantern/")
    assert client.get(answer["Location"]).status_code == 200


def test_the_number_alone_shows_the_product_and_names_its_one_address(client: Client) -> None:
    product = a_product()
    canonical = f'<link rel="canonical" href="{settings.SHOP_URL}/catalogue/{product.pk}/storm-lantern/">'
    assert canonical in text(client, f"/catalogue/{product.pk}/")


def test_the_first_button_that_can_be_bought_is_pressed(client: Client) -> None:
    product = a_product(price=-1, option_names=["Colour"])
    a_variant(product, "Sand", stock=0)
    jade = a_variant(product, "Jade")
    page = text(client, product.get_absolute_url())
    assert f'value="{jade.pk}" required checked' in page
    assert page.count(" checked") == 1
    assert "(sold out)" in page


def test_a_link_may_name_the_variant(client: Client) -> None:
    product = a_product(price=-1, option_names=["Colour"])
    a_variant(product, "Sand")
    jade = a_variant(product, "Jade")
    page = text(client, f"{product.get_absolute_url()}?variant={jade.pk}")
    assert f'value="{jade.pk}" required checked' in page


def test_two_options_make_one_group_of_buttons_for_each_value_of_the_first(client: Client) -> None:
    product = a_product(price=-1, option_names=["Colour", "Size"])
    for options in [("Sand", "S"), ("Sand", "M"), ("Jade", "S")]:
        a_variant(product, *options)
    groups = client.get(product.get_absolute_url()).context["groups"]
    assert [(one.heading, [offer.words for offer in one.offers]) for one in groups] == [
        ("Sand", ["S", "M"]),
        ("Jade", ["S"]),
    ]


def test_a_slot_shows_its_place_and_time_and_that_it_is_free_of_charge(client: Client) -> None:
    product = a_product("Vaccination", price=-1, kind=Product.Kind.SLOT)
    starts_at = datetime(2027, 1, 5, 9, 30, tzinfo=UTC)
    for place in ("Room 1", "Room 2"):
        a_variant(product, place, price=0, slot_place=place, slot_starts_at=starts_at)
    page = text(client, product.get_absolute_url())
    assert "Tuesday 5 January 2027, 09:30 UTC" in page
    assert "Room 2" in page
    assert "Free of charge" in page
    assert "no address is asked" in page


def test_a_usual_price_is_struck_beside_the_price(client: Client) -> None:
    product = a_product(price=-1)
    a_variant(product, price=4900, compare_at=6900)
    page = text(client, product.get_absolute_url())
    assert '<s class="price-was">USD 69.00</s>' in page
    assert '<meta itemprop="price" content="49.00">' in page


def test_pictures_of_other_hosts_are_shown_as_one_of_ours_with_their_words(client: Client) -> None:
    product = a_product()
    for number in (1, 2):
        ProductImage.objects.create(
            product=product, source=f"https://example.com/{number}.jpg", alt="A lantern", position=number
        )
    page = text(client, product.get_absolute_url())
    assert 'src="/static/products/placeholder.svg" alt="A lantern"' in page
    assert page.count("<img") == 1
    assert "example.com" not in page


def test_a_description_is_cleaned_even_if_the_row_was_not(client: Client) -> None:
    product = a_product(body="<p>Bright</p><script>steal()</script>")
    page = text(client, product.get_absolute_url())
    assert "<p>Bright</p>" in page
    assert "steal()" not in page.partition('itemprop="description"')[2]


def test_pages_are_only_read(client: Client) -> None:
    assert client.post("/catalogue/").status_code == 405
    assert client.head("/catalogue/").status_code == 200
