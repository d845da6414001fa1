"""Two units of the shop, each with a database and a memory of its own, and units that move between them."""

import uuid
from collections.abc import Iterator

import psycopg2
import pytest
from django.db import transaction
from django.urls import reverse
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from flashsale import scheduling, transfers, unit_client
from flashsale.errors import SchedulingError
from flashsale.models import SaleItem, Transfer
from flashsale.tests.conftest import MakeSale, MakeShoppers, is_clean, units, win
from flashsale.tests.deaths import die, dies
from flashsale.tests.network import Wire, wire_to
from flashsale.tests.pages import logged_in
from flashsale.unit_client import Offer, UnitAway
from shop.catalogue.models import Variant
from shop.up import state
from tests.running import Shop, running_shop

HERE, THERE, TOKEN = 10, 5, "the-token-of-both-units-" + "x" * 20
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.cluster]


@pytest.fixture(scope="module")
def there() -> Iterator[Shop]:
    """The other unit: a whole shop."""
    units = {"REGION": "us", "UNIT_TOKEN": TOKEN, "UNITS": "eu=http://127.0.0.1:1"}
    with running_shop(**units) as shop:
        yield shop


@pytest.fixture
def wire(there: Shop, settings: Settings) -> Iterator[Wire]:
    """The network from this unit to the other one."""
    with wire_to(there.url) as wire:
        settings.REGION, settings.UNIT_TOKEN, settings.UNITS = "eu", TOKEN, {"us": wire.url}
        yield wire


@pytest.fixture
def item(there: Shop, make_sale: MakeSale) -> SaleItem:
    """The same sale in both units: ten units here, five there."""
    slug = there.demo_sale(quantity=THERE, standby=0)
    item = make_sale(quantity=HERE)
    ((sku,),) = ask(
        there,
        "SELECT v.sku FROM flashsale_saleitem i JOIN catalogue_variant v ON v.id = i.variant_id"
        " JOIN flashsale_sale s ON s.id = i.sale_id WHERE s.slug = %s",
        slug,
    )
    Variant.objects.filter(pk=item.variant_id).update(sku=sku)
    item.sale.slug = slug
    item.sale.save(update_fields=["slug"])
    return SaleItem.objects.get(pk=item.pk)


def ask(shop: Shop, question: str, *values: object) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(state.read_state(shop.folder)["environment"]["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        found: list[tuple[object, ...]] = cursor.fetchall()
    connection.close()
    return found


def there_has(shop: Shop, item: SaleItem) -> int:
    """Units of the item in the other unit's rows."""
    question = "SELECT i.quantity FROM flashsale_saleitem i JOIN flashsale_sale s ON s.id = i.sale_id"
    ((quantity,),) = ask(shop, f"{question} WHERE s.slug = %s", item.sale.slug)
    return int(str(quantity))


def in_all(shop: Shop, item: SaleItem) -> int:
    """Units here, there, and on their way without having arrived."""
    item.refresh_from_db()
    on_their_way = 0
    for number, offer in transfers.on_their_way(region="us").items():
        rows = ask(shop, "SELECT state FROM flashsale_transfer WHERE id = %s", str(number))
        on_their_way += offer.units if rows != [("arrived",)] else 0
    return item.quantity + there_has(shop, item) + on_their_way


def go(transfer: Transfer) -> str:
    try:
        return transfers.go_on(transfer=transfer)
    except UnitAway:
        transfer.refresh_from_db()
        return str(transfer.state)


def test_units_leave_here_before_they_are_there(there: Shop, wire: Wire, item: SaleItem) -> None:
    wire.state = "cut"
    transfer = transfers.send(item=item, units=4, region="us")
    assert go(transfer) == "sent"
    assert units(item)[0] == HERE - 4
    assert (there_has(there, item), in_all(there, item)) == (THERE, HERE + THERE)
    wire.state = "open"
    assert go(transfer) == "delivered"
    assert (there_has(there, item), in_all(there, item)) == (THERE + 4, HERE + THERE)
    assert is_clean(item)
    assert "adds up in both stores" in there.manage("reconcile", item.sale.slug.removeprefix("demo-"))


def test_answer_that_is_lost_moves_nothing_twice(there: Shop, wire: Wire, item: SaleItem) -> None:
    wire.state = "deaf"
    transfer = transfers.send(item=item, units=3, region="us")
    assert go(transfer) == "sent"
    wire.state = "open"
    assert transfers.take_back(transfer=transfer) == "delivered"  # too late: they have arrived
    assert go(transfer) == "delivered"
    assert (there_has(there, item), in_all(there, item)) == (THERE + 3, HERE + THERE)


def test_units_come_back_only_when_the_other_side_has_promised_to_refuse_them(
    there: Shop, wire: Wire, item: SaleItem
) -> None:
    wire.state = "cut"
    transfer = transfers.send(item=item, units=2, region="us")
    go(transfer)
    with pytest.raises(UnitAway):
        transfers.take_back(transfer=transfer)
    assert (units(item)[0], in_all(there, item)) == (HERE - 2, HERE + THERE)
    wire.state = "open"
    assert transfers.take_back(transfer=transfer) == "back"
    late = unit_client.offer("us", transfer.pk, Offer(item.sale.slug, item.variant.sku, 2))
    assert (late, there_has(there, item), units(item)[0]) == ("refused", THERE, HERE)
    assert is_clean(item)


def test_control_without_the_fence_units_exist_twice(there: Shop, wire: Wire, item: SaleItem) -> None:
    wire.state = "deaf"
    transfer = transfers.send(item=item, units=2, region="us")
    go(transfer)
    transfers._end(transfer, "refused")  # "no answer" taken for "no"
    assert in_all(there, item) == HERE + THERE + 2


def test_other_side_fetches_what_our_offers_do_not_bring(
    there: Shop, wire: Wire, item: SaleItem, live_server: LiveServer, settings: Settings
) -> None:
    wire.state = "cut"
    transfer = transfers.send(item=item, units=5, region="us")
    go(transfer)
    env = there.env | {"UNITS": f"eu={live_server.url}"}
    fetching = Shop(there.url, there.folder, env)
    assert "1" in fetching.manage("transfer", "--fetch", "eu")
    assert fetching.manage("transfer", "--fetch", "eu")  # once more: nothing happens
    assert (there_has(there, item), in_all(there, item)) == (THERE + 5, HERE + THERE)
    wire.state = "open"
    assert go(transfer) == "delivered"
    assert (there_has(there, item), in_all(there, item)) == (THERE + 5, HERE + THERE)


def test_process_that_dies_between_memory_and_rows_leaves_the_move_to_the_next(
    there: Shop, wire: Wire, item: SaleItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = transfers.send(item=item, units=4, region="us")
    with monkeypatch.context() as patch:
        patch.setattr(transaction, "atomic", lambda **_: die())
        dies(lambda: transfers.go_on(transfer=transfer))
    assert units(item)[0] == HERE - 4
    scheduling.warm(sale_id=item.sale_id)  # the beat comes by, and brings nothing back
    assert units(item)[0] == HERE - 4
    assert go(transfer) == "delivered"
    assert in_all(there, item) == HERE + THERE
    assert is_clean(item)


def test_units_that_are_held_stay(wire: Wire, item: SaleItem, shoppers: MakeShoppers) -> None:
    transfer = transfers.send(item=item, units=6, region="us")
    win(item, *shoppers(8))  # eight of ten are taken before the move begins
    go(transfer)
    transfer.refresh_from_db()
    assert (transfer.units, units(item)[:2]) == (2, (0, 8))
    with pytest.raises(SchedulingError, match="at least one stays"):
        transfers.send(item=SaleItem.objects.get(pk=item.pk), units=1, region="us")


def test_move_is_begun_and_taken_back_in_the_admin(there: Shop, wire: Wire, item: SaleItem) -> None:
    boss = logged_in(User.objects.create_superuser(email="boss@example.com", password="a long one"))
    wire.state = "cut"
    page = reverse("admin:flashsale_transfer_add")
    told = boss.post(page, {"item": item.pk, "units": 99, "region": "us"})
    assert "Units move that are free" in told.content.decode()
    boss.post(page, {"item": item.pk, "units": 3, "region": "us"})
    transfer = Transfer.objects.get()
    assert (transfer.state, transfer.units, units(item)[0]) == ("sent", 3, HERE - 3)
    wire.state = "open"
    action = {"action": "take_back", "_selected_action": [str(transfer.pk)]}
    told = boss.post(reverse("admin:flashsale_transfer_changelist"), action, follow=True)
    assert "3 units: Came back" in told.content.decode()
    assert units(item)[0] == HERE


def test_strangers_are_refused_and_nonsense_is_told_so(there: Shop, wire: Wire, settings: Settings) -> None:
    settings.UNIT_TOKEN = "somebody-else" * 4
    with pytest.raises(UnitAway, match="403"):
        unit_client.refuse("us", uuid.uuid4())
    settings.UNIT_TOKEN = TOKEN
    with pytest.raises(UnitAway, match="400"):
        unit_client.offer("us", uuid.uuid4(), Offer("demo-1", "LAMP", 0))
    assert unit_client.offer("us", uuid.uuid4(), Offer("no-such-sale", "LAMP", 1)) == "refused"
