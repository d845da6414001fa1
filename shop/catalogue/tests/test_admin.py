"""Keeping the catalogue in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from shop.catalogue import admin_forms, stock
from shop.catalogue.models import Category, Product, Variant
from shop.catalogue.tests.shelf import a_category, a_product, a_variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchandiser(client: Client) -> Client:
    user = User.objects.create_user("mei@example.com", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="catalogue"))
    client.force_login(user)
    return client


def form(product: Product, **changes: str) -> dict[str, str]:
    """The form of a product as a browser sends it, with changes; `variants_0_price` is variants-0-price."""
    variants = list(product.variants.all())
    sent: dict[str, Any] = {
        "title": product.title,
        "handle": product.handle,
        "category": product.category_id or "",
        "kind": product.kind,
        "published": "on",
        "body": product.body,
        "option_names": " / ".join(product.option_names),
        "images-TOTAL_FORMS": 0,
        "images-INITIAL_FORMS": 0,
        "variants-TOTAL_FORMS": len(variants),
        "variants-INITIAL_FORMS": len(variants),
    }
    for number, variant in enumerate(variants):
        sent |= {
            f"variants-{number}-id": variant.pk,
            f"variants-{number}-product": product.pk,
            f"variants-{number}-sku": variant.sku,
            f"variants-{number}-options": " / ".join(variant.options),
            f"variants-{number}-price": variant.price / 100,
            f"variants-{number}-position": variant.position,
        }
    renamed = {
        name.replace("variants_", "variants-").replace("images_", "images-"): value
        for name, value in changes.items()
    }
    numbered = {name.replace("-0_", "-0-").replace("-1_", "-1-"): value for name, value in renamed.items()}
    return {name: str(value) for name, value in (sent | numbered).items()}


def save(client: Client, product: Product, **changes: str) -> Any:
    address = reverse("admin:catalogue_product_change", args=[product.pk])
    return client.post(address, form(product, **changes))


def errors(answer: Any) -> list[str]:
    """Every sentence that the answered page complains with."""
    assert answer.status_code == 200
    formsets = answer.context["inline_admin_formsets"]
    found = [str(text) for texts in answer.context["adminform"].form.errors.values() for text in texts]
    for formset in formsets:
        found += [str(text) for text in formset.formset.non_form_errors()]
        found += [str(text) for one in formset.formset.errors for texts in one.values() for text in texts]
    return found


def test_the_list_shows_price_and_stock_in_a_handful_of_questions(
    merchandiser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        product = a_product(f"Lamp {number}", price=4900, stock=2, category=None)
        a_variant(product, "Big", price=9900, stock=5)
    with django_assert_max_num_queries(12):
        page = merchandiser.get(reverse("admin:catalogue_product_changelist")).content.decode()
    assert page.count("USD 49.00") == 20


@pytest.mark.parametrize(("stock", "titles"), [("out", ["None"]), ("few", ["Few"]), ("in", ["Few", "Many"])])
def test_the_list_can_be_narrowed_to_what_is_nearly_gone(
    merchandiser: Client, stock: str, titles: list[str]
) -> None:
    for title, units in [("None", 0), ("Few", 5), ("Many", 6)]:
        a_product(title, stock=units)
    address = reverse("admin:catalogue_product_changelist")
    answer = merchandiser.get(address, {"stock": stock})
    assert [product.title for product in answer.context["cl"].result_list] == titles


def test_a_product_is_found_by_the_sku_of_a_variant(merchandiser: Client) -> None:
    a_variant(a_product("Jug", price=-1), sku="JUG-BLUE")
    a_product()
    answer = merchandiser.get(reverse("admin:catalogue_product_changelist"), {"q": "JUG-B"})
    assert [product.title for product in answer.context["cl"].result_list] == ["Jug"]


def test_prices_are_typed_as_decimals(merchandiser: Client) -> None:
    product = a_product()
    page = merchandiser.get(reverse("admin:catalogue_product_change", args=[product.pk])).content.decode()
    assert 'name="variants-0-price" value="49.00"' in page
    answer = save(merchandiser, product, variants_0_price="39.50", variants_0_compare_at="49")
    assert answer.status_code == 302
    variant = Variant.objects.get()
    assert (variant.price, variant.compare_at) == (3950, 4900)


def test_a_price_that_is_none_is_refused_with_a_sentence(merchandiser: Client) -> None:
    answer = save(merchandiser, a_product(), variants_0_price="cheap")
    assert errors(answer) == ["“cheap” is not an amount such as 49.00."]
    assert Variant.objects.get().price == 4900


def test_a_description_is_cleaned_when_it_is_saved(merchandiser: Client) -> None:
    save(merchandiser, a_product(), body="<p>Bright</p><script>x</script>")
    assert Product.objects.get().body == "<p>Bright</p>"


def test_units_bought_while_the_form_was_open_stay_sold(merchandiser: Client) -> None:
    product = a_product(stock=9)
    opened = form(product, variants_0_price="1.00")
    variant = product.variants.get()
    stock.take({variant.pk: 4})
    merchandiser.post(reverse("admin:catalogue_product_change", args=[product.pk]), opened)
    variant.refresh_from_db()
    assert (variant.price, variant.stock) == (100, 5)


def test_control_a_form_that_writes_whole_rows_would_resurrect_them(
    merchandiser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = a_product(stock=9)

    def save_whole(self: admin_forms.VariantForm, commit: bool = True) -> Variant:
        stock.take({self.instance.pk: 4})
        self.instance.save()
        return Variant.objects.get()

    monkeypatch.setattr(admin_forms.VariantForm, "save", save_whole)
    save(merchandiser, product, variants_0_price="1.00")
    assert Variant.objects.get().stock == 9


@pytest.mark.parametrize(("more", "left"), [("5", 14), ("-9", 0), ("", 9)])
def test_units_are_added_and_taken_out(merchandiser: Client, more: str, left: int) -> None:
    assert save(merchandiser, a_product(stock=9), variants_0_more=more).status_code == 302
    assert Variant.objects.get().stock == left


def test_more_than_there_is_cannot_be_taken_out(merchandiser: Client) -> None:
    answer = save(merchandiser, a_product(stock=9), variants_0_more="-10")
    assert errors(answer) == ["Only 9 are in stock."]


def test_units_that_went_meanwhile_are_told_and_nothing_is_saved(
    merchandiser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = a_product(stock=9)
    checked = admin_forms.VariantForm.clean_more

    def bought_after_the_check(self: admin_forms.VariantForm) -> int:
        more = checked(self)
        Variant.objects.update(stock=2)
        return more

    monkeypatch.setattr(admin_forms.VariantForm, "clean_more", bought_after_the_check)
    answer = save(merchandiser, product, title="New", variants_0_more="-5")
    page = merchandiser.get(answer["Location"]).content.decode()
    assert "Nothing was saved: meanwhile only 2 units are left." in page
    assert Product.objects.get().title == "Storm Lantern"


def test_a_new_variant_starts_with_the_units_that_are_added(merchandiser: Client) -> None:
    product = a_product(price=-1)
    answer = save(
        merchandiser,
        product,
        variants_TOTAL_FORMS="1",
        variants_0_product=str(product.pk),
        variants_0_sku="NEW",
        variants_0_price="5",
        variants_0_position="1",
        variants_0_more="7",
        **{"variants-TOTAL_FORMS": "1"},
    )
    assert answer.status_code == 302
    assert [(one.sku, one.price, one.stock) for one in Variant.objects.all()] == [("NEW", 500, 7)]


def test_options_are_typed_in_one_line(merchandiser: Client) -> None:
    product = a_product(stock=1)
    save(merchandiser, product, option_names="Colour / Size", variants_0_options="Sand / 5/8 inch")
    product.refresh_from_db()
    assert (product.option_names, product.variants.get().options) == (
        ["Colour", "Size"],
        ["Sand", "5/8 inch"],
    )


def test_a_variant_has_a_value_for_each_option(merchandiser: Client) -> None:
    answer = save(merchandiser, a_product(), option_names="Colour / Size", variants_0_options="Sand")
    assert errors(answer) == ["Give one value for each option: Colour / Size."]


def test_a_slot_needs_a_place_and_a_time(merchandiser: Client) -> None:
    answer = save(merchandiser, a_product(), kind="slot", variants_0_price="0")
    assert errors(answer) == ["A slot has a place and a time."]


def test_two_variants_with_the_same_options_are_refused(merchandiser: Client) -> None:
    product = a_product(price=-1, option_names=["Size"])
    a_variant(product, "Small")
    a_variant(product, "Large")
    answer = save(merchandiser, product, variants_1_options="Small")
    assert any("options" in text for text in errors(answer))


def test_a_picture_must_be_there(merchandiser: Client) -> None:
    product = a_product()
    picture = {"images-TOTAL_FORMS": "1", "images-0-product": str(product.pk), "images-0-position": "1"}
    answer = save(merchandiser, product, **picture, **{"images-0-source": "products/none.svg"})
    assert errors(answer) == [
        "There is no picture “products/none.svg” in the shop; one of them is products/storm-lantern.svg."
    ]
    answer = save(merchandiser, product, **picture, **{"images-0-source": "products/placeholder.svg"})
    assert answer.status_code == 302
    assert product.images.get().is_own


@pytest.mark.parametrize(("action", "published"), [("publish", True), ("withdraw", False)])
def test_products_are_published_and_withdrawn_together(
    merchandiser: Client, action: str, published: bool
) -> None:
    products = [a_product(title, published=not published) for title in ("Lamp", "Jug")]
    chosen = {"action": action, "_selected_action": [str(product.pk) for product in products]}
    answer = merchandiser.post(reverse("admin:catalogue_product_changelist"), chosen, follow=True)
    assert "2 products were changed." in answer.content.decode()
    assert set(Product.objects.values_list("published", flat=True)) == {published}


def test_categories_show_how_much_is_in_them(merchandiser: Client) -> None:
    a_product(category=a_category())
    answer = merchandiser.get(reverse("admin:catalogue_category_changelist"))
    assert [(one.name, one.product_count) for one in answer.context["cl"].result_list] == [("Light", 1)]
    assert Category.objects.count() == 1
