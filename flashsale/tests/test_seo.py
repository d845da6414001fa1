"""What search engines read: one address a page, and facts that are those on the page."""

import json
import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from flashsale import scheduling
from flashsale.tests.conftest import MakeSale, MakeShoppers, win
from flashsale.tests.pages import address, words
from shop.catalogue import demo
from shop.catalogue.models import Product

pytestmark = pytest.mark.django_db(transaction=True)
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


def found(pattern: str, page: str) -> str:
    matches = re.findall(pattern, page)
    assert len(matches) == 1, (pattern, matches)
    return str(matches[0])


def locations(client: Client, path: str) -> list[str]:
    answer = client.get(path)
    assert answer["Content-Type"] == "application/xml"
    return [str(one.text) for one in ElementTree.fromstring(answer.content).iter(LOC)]  # noqa: S314 - our own


def test_every_page_in_the_sitemaps_is_there_and_names_itself(client: Client, make_sale: MakeSale) -> None:
    demo.load()
    make_sale()
    make_sale(scheduled=False)
    addresses = locations(client, "/sitemap.xml") + locations(client, "/sales/sitemap.xml")
    assert len(addresses) == 4 + 6 + 30 + 2 + 1  # pages, categories, products, two lamps, the sale
    titles, texts = set(), set()
    for address_ in addresses:
        path = address_.removeprefix(settings.SHOP_URL)
        page = client.get(path).content.decode()
        assert found(r'<link rel="canonical" href="([^"]+)">', page).replace("&amp;", "&") == address_
        assert found(r'property="og:url" content="([^"]+)"', page).replace("&amp;", "&") == address_
        titles.add(found(r"<title>([^<]+)</title>", page))
        texts.add(found(r'<meta name="description" content="([^"]+)">', page))
        assert "noindex" not in page
    assert len(titles) == len(texts) == len(addresses)


def test_robots_are_told_where_to_look_and_where_not(client: Client) -> None:
    text = client.get("/robots.txt").content.decode()
    assert f"Sitemap: {settings.SHOP_URL}/sitemap.xml\n" in text
    assert f"Sitemap: {settings.SHOP_URL}/sales/sitemap.xml\n" in text
    refused = re.findall("Disallow: (.+)", text)
    assert {"/accounts/", "/cart/", "/checkout/", "/orders/", "/search/", "/admin/"} <= set(refused)
    for path in locations(client, "/sitemap.xml"):
        assert not path.removeprefix(settings.SHOP_URL).startswith(tuple(refused))


def test_pages_of_one_shopper_are_not_for_search_engines(client: Client, admin_client: Client) -> None:
    for path in ("/accounts/login/", "/search/?q=lamp", "/nowhere/"):
        assert "noindex" in client.get(path).content.decode()


def test_a_list_has_one_address_in_whatever_order(client: Client) -> None:
    demo.load()
    page = client.get("/catalogue/?sort=price-up&page=2").content.decode()
    assert f'<link rel="canonical" href="{settings.SHOP_URL}/catalogue/?page=2">' in page


def test_the_offer_of_a_product_is_the_one_on_the_page(client: Client) -> None:
    demo.load()
    for product in Product.objects.all():
        page = client.get(product.get_absolute_url()).content.decode()
        price = found(r'itemprop="(?:price|lowPrice)" content="([^"]+)"', page)
        is_free = product.cheapest.price == 0
        assert ("Free of charge" if is_free else f"USD {float(price):,.2f}") in page
        assert ('itemprop="lowPrice"' in page) == product.is_from_price
        in_stock = 'href="https://schema.org/InStock"' in page
        assert in_stock == ("Sold out</p>" not in page)


def facts(client: Client, path: str) -> Any:
    page = client.get(path)
    block = found(r'<script type="application/ld\+json">(.+?)</script>', page.content.decode())
    return json.loads(block)[0], words(page)


def test_the_offer_of_a_sale_follows_its_state(
    client: Client, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    coming = make_sale(opens_at=timezone.now() + timedelta(hours=1))
    product, text = facts(client, address(coming))
    offer = product["offers"]
    assert offer["availability"] == "https://schema.org/PreSale"
    assert (offer["price"], offer["priceCurrency"]) == ("49.00", "USD")
    assert "USD 49.00" in text
    assert offer["validFrom"] == coming.sale.opens_at.isoformat()
    assert product["name"] in text
    running = make_sale(quantity=1)
    assert facts(client, address(running))[0]["offers"]["availability"].endswith("/LimitedAvailability")
    win(running, *shoppers(1))
    assert facts(client, address(running))[0]["offers"]["availability"].endswith("/SoldOut")
    scheduling.close_now(sale_id=running.sale_id)
    assert facts(client, address(running))[0]["offers"]["availability"].endswith("/Discontinued")


def test_a_title_cannot_end_the_block_of_facts(client: Client, make_sale: MakeSale) -> None:
    item = make_sale()
    Product.objects.filter(pk=item.variant.product_id).update(title="</script><b>Lamp</b> & more")
    assert facts(client, address(item))[0]["name"] == "</script><b>Lamp</b> & more"
