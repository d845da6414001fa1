"""A region that pulls from another one: what arrives, what is sent again, what is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from flashsale import drafts, syncing
from flashsale.models import Sale
from flashsale.sync_source import Source, SyncError
from flashsale.tests.conftest import MakeShoppers
from flashsale.tests.network import Wire, wire_to
from flashsale.tests.test_transfers import TOKEN, ask
from shop.catalogue.models import Product, Variant
from tests.running import Shop, running_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.cluster]
SHOWN = 4
"""Products that the other region shows: one of each kind, and some."""


@pytest.fixture(scope="module")
def there() -> Iterator[Shop]:
    """The other region: a whole shop, with few products, so that its limit on questions is not met."""
    with running_shop(REGION="us", UNIT_TOKEN=TOKEN, UNITS="eu=http://127.0.0.1:1") as shop:
        slug = shop.demo_sale(quantity=5, standby=0)
        change(
            shop,
            "WITH sold AS (SELECT v.product_id AS id FROM flashsale_saleitem i JOIN catalogue_variant v"
            " ON v.id = i.variant_id JOIN flashsale_sale s ON s.id = i.sale_id WHERE s.slug = %s),"
            " slot AS (SELECT id FROM catalogue_product WHERE kind = 'slot' LIMIT 1),"
            " more AS (SELECT id FROM catalogue_product WHERE kind = 'shipped' AND id NOT IN (TABLE sold)"
            " ORDER BY id LIMIT %s)"
            " UPDATE catalogue_product SET published = id IN (TABLE sold UNION TABLE slot UNION TABLE more)",
            slug,
            SHOWN - 2,
        )
        change(shop, "UPDATE flashsale_sale SET state = 'draft' WHERE slug <> %s", slug)  # the demo's own
        change(
            shop,
            "UPDATE flashsale_sale SET captcha = false, question = 'How many cups?', answers = 'six',"
            " proof_of_work = true, rate = 50, tie_band = 20, closes_at = now() + interval '1 hour'"
            " WHERE slug = %s",
            slug,
        )
        yield shop


@pytest.fixture
def wire(there: Shop, settings: Settings, tmp_path: Path) -> Iterator[Wire]:
    """The network to it."""
    with wire_to(there.url) as wire:
        settings.DATA_DIR = tmp_path
        settings.REGION, settings.UNIT_TOKEN, settings.UNITS = "eu", TOKEN, {"us": wire.url}
        yield wire


@pytest.fixture
def source(wire: Wire) -> Source:
    """It, as we pull from it."""
    return Source(wire.url)


def change(shop: Shop, statement: str, *values: object) -> None:
    ask(shop, f"BEGIN; {statement}; COMMIT; SELECT 1", *values)


def silent(_line: str) -> None:
    """Tell nobody."""


def pull(source: Source) -> tuple[syncing.Pulled, syncing.Pulled]:
    return syncing.products(source, silent), syncing.sales(source)


def test_everything_of_a_definition_arrives_and_nothing_that_is_another_regions_own(
    there: Shop, source: Source
) -> None:
    products, sales = pull(source)
    assert (products.seen, products.changed, products.left_out) == (SHOWN, SHOWN, [])
    assert (sales.seen, sales.changed, sales.left_out) == (1, 1, [])
    sale = Sale.objects.get()
    assert (sale.state, sale.rate, sale.tie_band) == ("draft", 50, 20)
    assert (sale.captcha, sale.question, sale.answers) == (False, "How many cups?", "six")
    assert sale.proof_of_work
    ((key,),) = ask(there, "SELECT line_key FROM flashsale_sale WHERE state = 'scheduled'")
    assert sale.line_key != key  # each region draws its own lots
    assert list(sale.items.values_list("quantity", flat=True)) == [1]
    assert set(Variant.objects.values_list("stock", flat=True)) == {0}
    slots = ask(
        there,
        "SELECT v.sku, v.slot_place, v.slot_starts_at FROM catalogue_variant v JOIN catalogue_product p"
        " ON p.id = v.product_id WHERE p.kind = 'slot' AND p.published ORDER BY v.sku",
    )
    ours = Variant.objects.filter(product__kind="slot").order_by("sku")
    assert slots
    assert list(ours.values_list("sku", "slot_place", "slot_starts_at")) == slots


def test_what_has_not_changed_is_not_sent_and_what_has_is_written_once(there: Shop, source: Source) -> None:
    pull(source)
    Sale.objects.get().items.update(quantity=4)
    products, sales = pull(Source(source.address("")))
    assert (products.seen, products.changed, sales.seen, sales.changed) == (SHOWN, 0, 1, 0)
    change(there, "UPDATE flashsale_sale SET answers = 'seven', min_level = 2 WHERE state = 'scheduled'")
    try:
        products, sales = pull(source)
    finally:
        change(there, "UPDATE flashsale_sale SET answers = 'six', min_level = 0")
    assert (products.changed, sales.changed) == (0, 1)
    sale = Sale.objects.get()
    assert (sale.answers, sale.min_level, sale.items.get().quantity) == ("seven", 2, 4)


def test_a_sale_that_was_not_whole_is_fetched_until_it_is(source: Source) -> None:
    sales = syncing.sales(source)  # before any product
    assert [line.partition(": ")[2].split()[:2] for line in sales.left_out] == [["there", "is"]]
    assert Sale.objects.get().items.count() == 0
    assert [part.changed for part in pull(source)] == [SHOWN, 1]
    assert Sale.objects.get().items.count() == 1
    assert [part.changed for part in pull(source)] == [0, 0]


def test_a_pull_that_was_cut_before_the_sales_goes_on_with_them(wire: Wire, source: Source) -> None:
    syncing.products(source, silent)
    wire.state = "cut"
    with pytest.raises(SyncError, match="does not answer"):
        syncing.sales(source)
    wire.state = "open"
    assert [part.changed for part in pull(Source(wire.url))] == [0, 1]


def test_what_is_hidden_there_is_hidden_here_and_comes_back(there: Shop, source: Source) -> None:
    pull(source)
    ((handle, pk),) = ask(there, "SELECT handle, id FROM catalogue_product WHERE published AND kind = 'slot'")
    change(there, "UPDATE catalogue_product SET published = false WHERE id = %s", pk)
    try:
        products, _ = pull(source)
        assert products.left_out == [f"{handle}: it is not shown there any more, and so no longer here"]
        assert not Product.objects.get(handle=handle).published
        assert pull(source)[0].changed == 0
    finally:
        change(there, "UPDATE catalogue_product SET published = true WHERE id = %s", pk)
    assert pull(source)[0].changed == 1
    assert Product.objects.get(handle=handle).published


def test_a_sale_that_is_over_there_stays_here_and_a_draft_that_was_deleted_here_stays_deleted(
    there: Shop, source: Source, shoppers: MakeShoppers
) -> None:
    pull(source)
    sale = Sale.objects.get()
    drafts.delete(sale=sale, by=shoppers(1)[0])
    assert syncing.sales(source).left_out == [f"{sale.slug}: its draft was deleted here"]
    drafts.bring_back(sale=sale, by=shoppers(1)[0])
    change(there, "UPDATE flashsale_sale SET state = 'closed' WHERE state = 'scheduled'")
    try:
        over = f"{sale.slug}: it is over or gone there; what is here stays"
        assert syncing.sales(source).left_out == [over]
        assert syncing.sales(source).left_out == []  # said once
    finally:
        change(there, "UPDATE flashsale_sale SET state = 'scheduled' WHERE state = 'closed'")
    assert Sale.objects.get().state == "draft"
