"""What every form of the shop asks for: few fields, named as browsers know them, never cut short."""

import re

import pytest
from django.test import Client

from shop.catalogue import demo
from shop.catalogue.models import Product, Variant

pytestmark = pytest.mark.django_db
KNOWN = {
    "email": "email",
    "login": "email",
    "full_name": "name",
    "country": "country",
    "line1": "address-line1",
    "line2": "address-line2",
    "postcode": "postal-code",
    "city": "address-level2",
    "phone": "tel",
    "password": "current-password",
    "password1": "new-password",
}
FIELD = re.compile(r"<(?:input|select|textarea)\b[^>]*>")
HIDDEN = re.compile(r"type=.(?:hidden|submit|radio|checkbox|search|number)")


def fields(page: str) -> dict[str, str]:
    """Return the fields of the page's own forms by name."""
    main = page.partition("<main")[2]
    found = [field for field in FIELD.findall(main) if not HIDDEN.search(field)]
    return {re.findall(r'name="([^"]+)"', field)[0]: field for field in found}


@pytest.fixture
def addresses(client: Client) -> list[str]:
    demo.load()
    variant = Product.objects.get(handle="linen-shirt").variants.all()[0]
    client.post("/cart/add/", {"variant": variant.pk})
    gone = Variant.objects.filter(stock=0)[0]
    own = ["/checkout/", f"/notices/{gone.product_id}/"]
    return [*own, "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]


def test_a_guest_fills_in_at_most_eight_fields(client: Client, addresses: list[str]) -> None:
    asked = fields(client.get("/checkout/").content.decode())
    assert len(asked) <= 8
    assert list(asked)[:3] == ["email", "full_name", "country"], "the country before the address"


def test_every_field_has_a_label_and_is_known_to_browsers(client: Client, addresses: list[str]) -> None:
    for address in addresses:
        page = client.get(address).content.decode()
        for name, field in fields(page).items():
            key = re.findall(r'id="([^"]+)"', field)[0]
            assert f'<label for="{key}">' in page, (address, name)
            assert f'autocomplete="{KNOWN[name]}"' in field, (address, name)
            assert "maxlength" not in field, (address, name)
            assert "placeholder" not in field, (address, name)
            assert "onpaste" not in field, (address, name)


def test_a_wrong_post_says_so_in_the_title_above_and_at_the_field_and_keeps_answers(
    client: Client, addresses: list[str]
) -> None:
    for address, wrong in zip(
        addresses[:3], ({"city": "Berlin"}, {"email": "ada@"}, {"login": "ada@"}), strict=True
    ):
        page = client.post(address, wrong)
        text = page.content.decode()
        assert page.status_code in (200, 422)
        assert "<title>Error: " in text
        assert text.count('class="notice notice-bad error-summary"') == 1
        name = "email" if "email" in fields(text) else "login"
        assert re.search(rf'name="{name}"[^>]*aria-invalid="true"', text) or f'id="id_{name}_error"' in text
        kept = next(iter(wrong.values()))
        assert f'value="{kept}"' in text
