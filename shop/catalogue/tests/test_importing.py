"""Importing a file: what becomes of its rows, and that a second import updates."""

from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from shop.catalogue import importing, stock
from shop.catalogue.models import Category, Product, ProductImage, Variant
from shop.catalogue.tests.files import a_file, more, row, shared, sizes
from shop.catalogue.tests.shelf import a_product, a_variant

pytestmark = pytest.mark.django_db(transaction=True)


def load(folder: Path, *rows: dict[str, str]) -> importing.Summary:
    return importing.read_file(path=a_file(folder, *rows))


def variants() -> list[tuple[str, list[str], int, int]]:
    return [(one.sku, one.options, one.price, one.stock) for one in Variant.objects.all()]


@pytest.mark.parametrize(
    ("name", "products", "variants", "images", "categories"),
    [
        ("shopify-apparel.csv", 20, 22, 20, []),
        ("shopify-home-and-garden.csv", 20, 21, 21, ["Indoor", "Outdoor"]),
        ("shopify-jewelery.csv", 20, 23, 41, ["Bracelet", "Earrings", "Necklace"]),
    ],
)
def test_the_reference_catalogues_are_imported_whole(
    name: str, products: int, variants: int, images: int, categories: list[str]
) -> None:
    path = shared(name)
    for new in (products, 0):
        summary = importing.read_file(path=path)
        assert summary == importing.Summary(products, new, variants, len(categories))
        assert (Product.objects.count(), Variant.objects.count()) == (products, variants)
        assert ProductImage.objects.count() == images
        assert [category.name for category in Category.objects.order_by("name")] == categories


def test_the_three_reference_catalogues_live_together() -> None:
    for name in ("shopify-apparel.csv", "shopify-home-and-garden.csv", "shopify-jewelery.csv"):
        importing.read_file(path=shared(name))
    counts = Product.objects.count(), Variant.objects.count(), Category.objects.count()
    assert counts == (60, 66, 5)


def test_a_body_of_many_lines_keeps_its_list_and_its_inches() -> None:
    importing.read_file(path=shared("shopify-jewelery.csv"))
    body = Product.objects.get(handle="choker-with-gold-pendant").body
    assert '<li>Length, 12" with 2.5" extender</li>' in body
    assert body.endswith("</ul>")


def test_prices_stock_and_options_of_a_reference_product_are_exact() -> None:
    importing.read_file(path=shared("shopify-jewelery.csv"))
    product = Product.objects.get(handle="leather-anchor")
    assert (product.title, product.vendor, product.option_names) == (
        "Anchor Bracelet Mens",
        "Company 123",
        ["Color"],
    )
    assert [
        (one.sku, one.options, one.price, one.compare_at, one.stock) for one in product.variants.all()
    ] == [
        ("leather-anchor-1", ["Gold"], 6999, 8500, 1),
        ("leather-anchor-2", ["Silver"], 5500, 8500, 0),
    ]
    assert [image.position for image in product.images.all()] == [1, 2, 3]


def test_a_product_without_options_has_one_plain_variant(tmp_path: Path) -> None:
    load(tmp_path, row())
    product = Product.objects.get()
    assert (product.handle, product.title, product.body) == ("lamp", "Lamp", "<p>Bright</p>")
    assert (product.tags, product.published, product.kind) == ("Brass, Desk", True, Product.Kind.SHIPPED)
    assert (product.option_names, variants()) == ([], [("lamp-1", [], 4900, 3)])


def test_options_without_a_name_are_kept(tmp_path: Path) -> None:
    first = row(Option1_Name="", Option1_Value="Small", Option2_Name="Colour", Option2_Value="Red")
    load(tmp_path, first, more(Option1_Value="Large", Option2_Value="Red", Variant_Price="5"))
    assert Product.objects.get().option_names == ["", "Colour"]
    assert [one[1] for one in variants()] == [["Small", "Red"], ["Large", "Red"]]


@pytest.mark.parametrize(("quantity", "expected"), [("", 0), ("-4", 0), ("0", 0), ("12", 12)])
def test_stock_that_is_blank_or_below_zero_is_none(tmp_path: Path, quantity: str, expected: int) -> None:
    load(tmp_path, row(Variant_Inventory_Qty=quantity))
    assert variants() == [("lamp-1", [], 4900, expected)]


def test_scripts_and_foreign_pictures_do_not_enter_with_a_body(tmp_path: Path) -> None:
    load(
        tmp_path,
        row(**{"Body (HTML)": '<p onclick="x()">A</p><script>x</script><img src="//x"><svg/onload=x>'}),
    )
    assert Product.objects.get().body == "<p>A</p>"


def test_what_is_not_published_and_not_sent_is_told_by_the_file(tmp_path: Path) -> None:
    load(tmp_path, row(Published="FALSE", Variant_Requires_Shipping="false"))
    product = Product.objects.get()
    assert (product.published, product.kind) == (False, Product.Kind.COLLECTED)


def test_a_usual_price_of_nothing_is_none(tmp_path: Path) -> None:
    load(tmp_path, row(Variant_Compare_At_Price="0"))
    assert Variant.objects.get().compare_at is None


def test_further_pictures_follow_and_a_repeated_one_is_kept_once(tmp_path: Path) -> None:
    picture = "https://example.com/1.jpg"
    load(
        tmp_path,
        row(Image_Src=picture, Image_Position="1", Image_Alt_Text="On"),
        more(Image_Src="https://example.com/2.jpg", Image_Position="2"),
        more(Image_Src=picture, Image_Position="3"),
    )
    assert [(image.source[-5:], image.alt) for image in ProductImage.objects.all()] == [
        ("1.jpg", "On"),
        ("2.jpg", ""),
    ]


def test_a_second_import_updates_and_renames_and_reprices(tmp_path: Path) -> None:
    load(tmp_path, *sizes("Small", "Large"))
    ids = [one.pk for one in Variant.objects.all()]
    summary = load(
        tmp_path, row(Title="Big Lamp", Option1_Name="Size", Option1_Value="Small", Variant_Price="5")
    )
    assert summary == importing.Summary(products=1, new_products=0, variants=1, categories=1)
    assert Product.objects.get().title == "Big Lamp"
    assert [one.pk for one in Variant.objects.all()] == ids
    assert variants() == [("lamp-1", ["Small"], 500, 3), ("lamp-2", ["Large"], 4900, 3)]


def test_a_blank_quantity_leaves_the_stock_that_there_is(tmp_path: Path) -> None:
    load(tmp_path, row(Variant_Inventory_Qty="7"))
    load(tmp_path, row(Variant_Inventory_Qty=""))
    assert Variant.objects.get().stock == 7


def test_the_stock_that_there_is_can_be_kept(tmp_path: Path) -> None:
    load(tmp_path, row(Variant_Inventory_Qty="7"))
    path = a_file(tmp_path, row(Variant_Inventory_Qty="100", Variant_Price="5"))
    importing.read_file(path=path, keep_stock=True)
    assert variants() == [("lamp-1", [], 500, 7)]


def test_a_variant_is_known_by_its_sku_even_with_another_option(tmp_path: Path) -> None:
    load(tmp_path, *sizes("Small", Variant_SKU="L-1"))
    pk = Variant.objects.get().pk
    load(tmp_path, *sizes("Tiny", Variant_SKU="L-1"))
    assert (Variant.objects.get().pk, variants()) == (pk, [("L-1", ["Tiny"], 4900, 3)])


def test_a_variant_is_known_by_its_options_even_with_another_sku(tmp_path: Path) -> None:
    load(tmp_path, *sizes("Small"))
    pk = Variant.objects.get().pk
    load(tmp_path, *sizes("Small", Variant_SKU="L-1"))
    assert (Variant.objects.get().pk, variants()) == (pk, [("L-1", ["Small"], 4900, 3)])


def test_two_variants_may_swap_their_options(tmp_path: Path) -> None:
    price = {"Variant_Price": "49.00", "Variant_Inventory_Qty": "3"}
    load(tmp_path, *sizes("Small", Variant_SKU="A"), more(Option1_Value="Large", Variant_SKU="B", **price))
    load(tmp_path, *sizes("Large", Variant_SKU="A"), more(Option1_Value="Small", Variant_SKU="B", **price))
    assert variants() == [("A", ["Large"], 4900, 3), ("B", ["Small"], 4900, 3)]


def test_a_new_size_in_front_gets_a_number_of_its_own(tmp_path: Path) -> None:
    load(tmp_path, *sizes("Small", "Large"))
    load(tmp_path, *sizes("Tiny", "Small", "Large"))
    assert [one[:2] for one in variants()] == [
        ("lamp-3", ["Tiny"]),
        ("lamp-1", ["Small"]),
        ("lamp-2", ["Large"]),
    ]


def test_a_made_sku_avoids_one_that_another_product_has(tmp_path: Path) -> None:
    a_variant(a_product("Other", price=-1), sku="lamp-1")
    load(tmp_path, row())
    assert Product.objects.get(handle="lamp").variants.get().sku == "lamp-2"


def test_a_product_that_loses_its_sizes_keeps_its_first_variant(tmp_path: Path) -> None:
    load(tmp_path, *sizes("Small"))
    load(tmp_path, row())
    assert variants() == [("lamp-1", [], 4900, 3)]


def test_pictures_elsewhere_are_replaced_and_our_own_stay(tmp_path: Path) -> None:
    load(tmp_path, row(Image_Src="https://example.com/old.jpg"))
    ProductImage.objects.create(product=Product.objects.get(), source="products/lamp.svg")
    load(tmp_path, row(Image_Src="https://example.com/new.jpg"))
    assert {image.source for image in ProductImage.objects.all()} == {
        "https://example.com/new.jpg",
        "products/lamp.svg",
    }


def test_an_unknown_type_becomes_the_last_category_and_a_blank_one_none(tmp_path: Path) -> None:
    Category.objects.create(name="Wood", slug="wood", position=4)
    load(tmp_path, row(), row(Handle="jug", Title="Jug", Type=""))
    assert (Category.objects.get(slug="light").position, Product.objects.get(handle="jug").category) == (
        5,
        None,
    )


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    summary = importing.read_file(path=a_file(tmp_path, row()), dry_run=True)
    assert summary == importing.Summary(products=1, new_products=1, variants=1, categories=1)
    assert (Product.objects.count(), Category.objects.count()) == (0, 0)


def test_an_import_waits_for_the_shopper_who_is_buying(tmp_path: Path) -> None:
    load(tmp_path, row(Variant_Inventory_Qty="5"))
    pk = Variant.objects.get().pk
    bought, imported = Event(), Event()

    def import_again() -> None:
        bought.wait(5)
        load(tmp_path, row(Variant_Inventory_Qty="100"))
        imported.set()
        connection.close()

    importer = Thread(target=import_again)
    importer.start()
    with transaction.atomic():
        stock.take({pk: 1})
        bought.set()
        assert not imported.wait(0.3)
    importer.join(10)
    assert Variant.objects.get().stock == 100
