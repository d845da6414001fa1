"""Products and sales of another region, pulled over its API."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from flashsale import syncing
from flashsale.models import Sale
from flashsale.sync_source import Source, SyncError
from flashsale.tests.conftest import MakeSale
from flashsale.tests.gates import ask
from flashsale.tests.network import wire_to
from shop.catalogue.models import Product, Variant

pytestmark = pytest.mark.django_db(transaction=True)
CHECKS_STAY = "captcha, question and proof of work are told to the regions in UNITS only"


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


def test_what_is_scheduled_here_is_left_alone(make_sale: MakeSale, source: Source) -> None:
    item = make_sale(quantity=7, rate=50, limit=2)
    assert syncing.sales(source).left_out == [CHECKS_STAY, f"{item.sale.slug}: it is scheduled here"]
    (found,) = source.pages("/api/sales/")
    # Scheduled between the look and the write: nothing of it changes.
    assert syncing._write_sale(found | {"title": "Another title"}) == []
    assert Sale.objects.get().title == item.sale.title


@pytest.mark.parametrize("given", [{}, {"Authorization": "Unit wrong", "X-Region": "us"}])
def test_only_a_region_is_told_the_checks_of_a_sale(
    make_sale: MakeSale, live_server: LiveServer, settings: Settings, given: dict[str, str]
) -> None:
    settings.REGION, settings.UNIT_TOKEN, settings.UNITS = "eu", "t" * 32, {"us": "http://127.0.0.1:1"}
    item = make_sale(question="How many cups?", answers="six", scheduled=True)
    path = f"/api/units/sales/{item.sale_id}/"
    assert ask(live_server.url, "GET", path, given)[0] in (401, 403)
    assert b"six" not in ask(live_server.url, "GET", f"/api/sales/{item.sale_id}/")[2]
    told = ask(live_server.url, "GET", path, {"Authorization": f"Unit {'t' * 32}", "X-Region": "us"})
    assert (told[0], b"six" in told[2]) == (200, True)


def test_the_token_goes_to_a_region_and_to_nobody_else(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.UNITS = tmp_path, {"us": "https://us.example.com/"}
    unit, other = Source("https://us.example.com"), Source("https://other.example.com")
    assert (unit.is_unit, other.is_unit) == (True, False)
    assert unit._request(unit.address("/api/units/sales/1/"), "").has_header("Authorization")
    assert not unit._request(unit.address("/api/sales/"), "").has_header("Authorization")
    assert not unit._request("https://us.example.com.evil.test/api/units/", "").has_header("Authorization")
    assert not other._request(other.address("/api/units/sales/1/"), "").has_header("Authorization")


@pytest.mark.parametrize("url", ["ftp://one.example.com", "nonsense", "http://127.0.0.1:1"])
def test_addresses_that_are_no_shop_end_with_a_sentence(url: str) -> None:
    with pytest.raises(CommandError, match="Start it again"):
        call_command("sync_catalogue", url)
