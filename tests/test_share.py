"""A page is handed on: by the device, by its address, or by a mail."""

import re
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from shop.catalogue import demo
from shop.catalogue.models import Product
from tests.conftest import PHONE

SHARED = "window.shared = []; navigator.share = async (what) => { shared.push(what); };"
NOT_SHARED = "Object.defineProperty(navigator, 'share', { value: undefined });"


def open_product(chromium: Browser, shop: str, script: str) -> Page:
    context = chromium.new_context(
        base_url=shop, viewport=PHONE, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.add_init_script(script)
    page.goto("/search/?q=linen+shirt")
    page.click(".product-card-title a")
    page.click("[data-share]")
    return page


@pytest.mark.django_db
def test_without_script_it_is_a_mail_with_the_address(client: Client) -> None:
    demo.load()
    product = Product.objects.get(handle="linen-shirt")
    page = client.get(product.get_absolute_url()).content.decode()
    link = re.search(r'href="mailto:\?([^"]+)"', page)
    assert link
    assert f"{settings.SHOP_URL}{product.get_absolute_url()}" in unquote(link[1])
    assert product.title in unquote(link[1])


@pytest.mark.browser
def test_a_device_that_can_share_is_given_the_title_and_the_one_address_of_the_page(
    chromium: Browser, shop: str
) -> None:
    page = open_product(chromium, shop, SHARED)
    address = page.get_attribute("link[rel=canonical]", "href")
    page.wait_for_function("shared.length")
    assert page.evaluate("shared") == [{"title": "Linen shirt", "url": address}]


@pytest.mark.browser
def test_another_device_copies_the_address_and_says_so(chromium: Browser, shop: str) -> None:
    page = open_product(chromium, shop, NOT_SHARED)
    link = page.locator("[data-share]")
    expect(link).to_have_text(link.get_attribute("data-done") or "")
    expect(page.locator("#say-politely")).to_have_text(link.get_attribute("data-done") or "")
    assert page.evaluate("navigator.clipboard.readText()") == page.get_attribute(
        "link[rel=canonical]", "href"
    )
