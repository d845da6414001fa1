"""Products and sales of another region, pulled over its API."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from flashsale import syncing
from flashsale.models import Sale, SaleItem
from flashsale.syncing import Source, SyncError
from flashsale.tests.conftest import MakeSale
from flashsale.tests.network import wire_to
from shop.catalogue.models import Product, Variant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source(live_server: LiveServer, settings: Settings, tmp_path: Path) -> Source:
    """This very shop as another one: its rows are forgotten here before they are written."""
    settings.DATA_DIR = tmp_path
    return Source(live_server.url)


def silent(_line: str) -> None:
    """Tell nobody."""


def test_only_what_has_changed_is_sent_and_stock_stays(make_sale: MakeSale, source: Source) -> None:
    item = make_sale(quantity=3)
    make_sale()
    first = syncing.products(source, silent)
    assert (first.seen, first.changed, first.left_out) == (2, 2, [])
    stock = Variant.objects.get(pk=item.variant_id).stock
    again = syncing.products(source, silent)
    assert (again.seen, again.changed) == (2, 0)
    Product.objects.filter(pk=item.variant.product_id).update(title="Another name")
    assert syncing.products(source, silent).changed == 1
    assert Variant.objects.get(pk=item.variant_id).stock == stock


def test_pull_that_was_cut_goes_on_where_it_was(
    make_sale: MakeSale, live_server: LiveServer, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    for _ in range(3):
        make_sale()
    with wire_to(live_server.url) as wire:
        settings.ALLOWED_HOSTS = ["*"]
        source = Source(wire.url)
        write, written = syncing._write_product, []

        def cut_after_one(found: dict[str, object], pulled: syncing.Pulled) -> None:
            write(found, pulled)
            written.append(found)
            wire.state = "cut"

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(syncing, "_write_product", cut_after_one)
            with pytest.raises(SyncError, match="does not answer"):
                syncing.products(source, silent)
        wire.state = "open"
        rest = syncing.products(Source(wire.url), silent)
    assert (len(written), rest.seen, rest.changed) == (1, 3, 2)


def test_sales_arrive_as_drafts_whose_share_is_set_here(make_sale: MakeSale, source: Source) -> None:
    item = make_sale(quantity=7, rate=50, limit=2)
    left = syncing.sales(source)
    assert left.left_out == [f"{item.sale.slug}: it is scheduled here"]
    slug, sku, sale = item.sale.slug, item.variant.sku, item.sale_id
    found = list(source.pages("/api/sales/"))
    SaleItem.objects.filter(sale=sale).delete()
    Sale.objects.filter(pk=sale).delete()
    assert syncing._write_sale(found[0], syncing.Pulled())
    pulled = Sale.objects.get(slug=slug)
    assert (pulled.state, pulled.rate) == ("draft", 50)
    assert list(pulled.items.values_list("variant__sku", "quantity", "limit")) == [(sku, 1, 2)]
    pulled.items.update(quantity=4)
    assert not syncing._write_sale(found[0], syncing.Pulled())
    assert pulled.items.get().quantity == 4


@pytest.mark.parametrize("url", ["ftp://one.example.com", "nonsense", "http://127.0.0.1:1"])
def test_addresses_that_are_no_shop_end_with_a_sentence(url: str) -> None:
    with pytest.raises(CommandError, match="Start it again"):
        call_command("sync_catalogue", url)
