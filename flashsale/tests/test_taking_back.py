"""Units that are still free leave a running sale for ordinary stock: none is made or lost, whoever dies."""

from collections.abc import Callable

import pytest
from django.db import transaction
from redis.exceptions import ConnectionError as StoreAway

from accounts.models import User
from flashsale import audit, operating, scheduling, stock, transfers
from flashsale.errors import SaleError, Silent, Stale
from flashsale.models import SaleItem, Transfer
from flashsale.tests.conftest import attempt, is_clean, units, win
from flashsale.tests.deaths import die, dies
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, do, staff

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


def in_all(item: SaleItem) -> int:
    """Return the units of the sale and of ordinary stock together, as the rows have them."""
    item.refresh_from_db()
    item.variant.refresh_from_db()
    return item.quantity + item.variant.stock


def test_free_units_go_back_to_ordinary_stock_in_both_stores(
    make_sale: Make, shoppers: Crowd, mei: User
) -> None:
    item = make_sale(quantity=6)
    before = in_all(item)
    win(item, *shoppers(2))
    said = operating.take_units(item=SaleItem.objects.get(), units=3, by=mei)
    assert said == "3 units are back in ordinary stock."
    assert units(item) == (1, 2, 0, 0)
    assert in_all(item) == before
    assert (item.quantity, item.held) == (3, 2)
    assert is_clean(item)
    entry = audit.log(item.sale)[0]
    assert (entry.change.before, entry.change.after, entry.user) == ("6", "3", mei)


def test_units_that_are_held_stay_and_one_stays_in_any_case(
    make_sale: Make, shoppers: Crowd, mei: User
) -> None:
    item, crowd = make_sale(quantity=4), shoppers(3)
    for count in (0, 4, 5):
        with pytest.raises(SaleError, match="at least one stays"):
            operating.take_units(item=SaleItem.objects.get(), units=count, by=mei)
    win(item, *crowd)
    with pytest.raises(SaleError, match="Units move that are free"):
        operating.take_units(item=SaleItem.objects.get(), units=2, by=mei)
    assert Transfer.objects.count() == 0
    assert units(item) == (1, 3, 0, 0)


def test_what_shoppers_win_meanwhile_is_theirs_and_the_answer_says_so(
    make_sale: Make, shoppers: Crowd, mei: User
) -> None:
    item, crowd = make_sale(quantity=5), shoppers(4)
    before = in_all(item)
    attempt(item, *crowd)  # won in the store; the rows that the operator's page shows do not know of it yet
    said = operating.take_units(item=SaleItem.objects.get(), units=3, by=mei)
    assert said == "1 unit is back in ordinary stock. The others were taken by shoppers in that moment."
    assert units(item) == (0, 4, 0, 0)
    assert in_all(item) == before
    assert audit.log(item.sale)[0].change.after == "4"


def test_who_dies_between_the_stores_leaves_it_to_the_beat(
    make_sale: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(quantity=6)
    before, transfer = in_all(item), transfers.send(item=item, units=4)
    with monkeypatch.context() as patch:
        patch.setattr(transaction, "atomic", lambda **_: die())
        dies(lambda: transfers.go_on(transfer=transfer))
    assert units(item)[0] == 2
    scheduling.warm(sale_id=item.sale_id)  # the beat comes by, and brings nothing back
    assert (units(item)[0], in_all(item)) == (2, before)
    assert transfers.go_on_with_all() == 0
    transfer.refresh_from_db()
    assert (transfer.state, in_all(item), item.quantity) == ("stock", before, 2)
    assert is_clean(item)


def test_without_the_row_the_beat_would_bring_the_units_back(make_sale: Make) -> None:
    """The control: the store alone was told, by somebody who then died; stock would get them twice."""
    item = make_sale(quantity=6)
    stock.run(stock.resize(item.sale_id, item.pk, quantity=2, seen=6))
    scheduling.warm(sale_id=item.sale_id)
    assert units(item)[0] == 6


def test_a_silent_store_is_said_and_the_beat_does_it_later(
    make_sale: Make, mei: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(quantity=6)
    before = in_all(item)
    with monkeypatch.context() as patch:

        def away(_call: object) -> None:
            raise StoreAway

        patch.setattr(stock, "run", away)
        with pytest.raises(Silent, match="its memory follows"):
            operating.take_units(item=SaleItem.objects.get(), units=2, by=mei)
    assert units(item)[0] == 6
    transfers.go_on_with_all()
    assert (units(item)[0], in_all(item), item.quantity) == (4, before, 4)


def test_two_operators_do_not_take_the_same_units(make_sale: Make, mei: User) -> None:
    item = make_sale(quantity=6)
    old = audit.latest(item.sale)
    operating.take_units(item=SaleItem.objects.get(), units=1, by=mei)
    operating.take_units(item=SaleItem.objects.get(), units=1, by=mei, seen=audit.latest(item.sale))
    with pytest.raises(Stale, match="Units of"):
        operating.take_units(item=SaleItem.objects.get(), units=1, by=mei, seen=old)
    assert units(item)[0] == 4


def test_the_page_says_what_will_happen_and_does_it(make_sale: Make, shoppers: Crowd) -> None:
    client, item = staff("merchandiser"), make_sale(quantity=6)
    win(item, *shoppers(2))
    text = words(client.get(at(item, "take")))
    assert "4 of 6 units in the sale are free" in text
    assert "Only units that nobody holds or has paid leave the sale; at least one stays." in text
    assert "Take at least one unit." in do(client, item, "take", item=str(item.pk), units="0")
    assert "Write a whole number such as 50." in do(client, item, "take", item=str(item.pk), units="ten")
    assert "at least one stays" in do(client, item, "take", item=str(item.pk), units="5")
    assert "2 units are back in ordinary stock." in do(client, item, "take", item=str(item.pk), units="2")
    assert units(item) == (2, 2, 0, 0)


def test_resuming_says_first_who_is_affected(make_sale: Make, shoppers: Crowd) -> None:
    client, item = staff("merchandiser"), make_sale(quantity=99, rate=1)
    attempt(item, *shoppers(31))
    operating.pause(sale=item.sale, by=User.objects.get(email="merchandiser@example.com"))
    text = words(client.get(at(item, "resume")))
    assert "30 people wait in line; at 1 a second the last is served" in text
    assert "whoever has entered may try for them at once." in text
    assert "went on during the pause" in text
    assert "goes on." in do(client, item, "resume")
