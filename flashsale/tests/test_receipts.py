"""The store has lost its disk between the answer and the row: the shopper's receipt brings his unit back."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import draining, receipts, reconcile, scheduling, stock
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.passes import PassError, Signer
from flashsale.replies import Answer
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, is_clean, units, win
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate
from shop.orders.models import OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)


def lose_the_store() -> None:
    get_redis_connection("sale").flushdb()


def receipt(item: SaleItem, user: User, told: Answer) -> str:
    signer = Signer(settings.PASS_KEYS)
    return signer.receipt(sale=item.sale_id, rid=told.rid, user=user.pk, pay_by=told.pay_by)


def show(item: SaleItem, user: User, told: Answer, *, token: str = "") -> bool:
    return receipts.honour(user_id=user.pk, rid=told.rid, token=token or receipt(item, user, told))


def test_rebuild_honours_receipts_first(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    (told,) = attempt(item, ann)
    lose_the_store()
    assert attempt(item, ben)[0].outcome == "paused"
    assert show(item, ann, told)
    reconcile.rebuild(sale_id=item.sale_id)
    again, rival = attempt(item, ann, ben)
    assert (again.outcome, again.rid, again.pay_by) == ("reserved", told.rid, told.pay_by)
    assert rival.outcome == "sold_out"
    assert is_clean(item)


def test_a_rebuild_after_a_loss_waits_for_receipts(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, (ann,) = make_sale(quantity=1), shoppers(1)
    (told,) = attempt(item, ann)
    lose_the_store()
    waited: list[float] = []

    def come_back(seconds: float) -> None:
        waited.append(seconds)
        show(item, ann, told)  # her page asks in the middle of it

    monkeypatch.setattr("time.sleep", come_back)
    out = StringIO()
    call_command("reconcile", str(item.sale_id), "--rebuild", stdout=out)
    assert sum(waited) == receipts.WINDOW
    assert "receipts are taken for 1 s more; 1 reservations so far" in out.getvalue()
    assert Reservation.objects.get(rid=told.rid).status == "held"
    call_command("reconcile", str(item.sale_id), "--rebuild", stdout=out)
    assert sum(waited) == receipts.WINDOW  # the store knew the sale: there was nothing to wait for


def test_a_receipt_shown_twice_is_one_reservation(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(quantity=2), shoppers(1)
    (told,) = attempt(item, ann)
    assert show(item, ann, told)
    draining.drain_once(sale_id=item.sale_id)  # and its entry comes through the stream all the same
    assert show(item, ann, told)
    assert Reservation.objects.get().status == "held"
    assert is_clean(item)


def test_after_the_rebuild_its_unit_is_gone_and_the_shopper_is_told(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    (told,) = attempt(item, ann)
    lose_the_store()
    reconcile.rebuild(sale_id=item.sale_id)
    (bens,) = win(item, ben)
    assert show(item, ann, told)
    assert Reservation.objects.get(rid=told.rid).status == "displaced"
    assert OutboxMail.objects.filter(ref=told.rid, kind="displaced", to=ann.email).exists()
    assert Reservation.objects.get(rid=bens).status == "held"
    assert not Sale.objects.get().paused  # a late shopper stops nobody else


@pytest.mark.parametrize("wrong", ["another's", "another reservation's", "a pass", "forged", "no text"])
def test_only_his_own_receipt_counts(make_sale: MakeSale, shoppers: MakeShoppers, wrong: str) -> None:
    item, (ann, ben) = make_sale(quantity=3), shoppers(2)
    told, other = attempt(item, ann, ben)
    lose_the_store()
    tokens = {
        "another's": receipt(item, ben, told),
        "another reservation's": receipt(item, ann, other),
        "a pass": a_pass(item, ann),
        "forged": receipt(item, ann, told)[:-1] + "!",
        "no text": "r.\udcff.1",
    }
    assert not show(item, ann, told, token=tokens[wrong].encode("utf-8", "replace").decode())
    assert not Reservation.objects.exists()


def test_a_receipt_is_no_pass() -> None:
    token = Signer(["key"]).receipt(sale=1, rid="1-1-1", user=2, pay_by=9_999_999_999_999)
    with pytest.raises(PassError):
        Signer(["key"]).verify(token.encode(), sale=1, now=0)


def test_the_page_of_the_reservation_shows_the_receipt_by_itself(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,), client = make_sale(quantity=1), shoppers(1), Client()
    client.force_login(ann)
    client.post(f"/sales/{item.sale.slug}/enter/")
    page = client.post(f"/sales/{item.sale.slug}/items/{item.pk}/attempt/")["Location"]
    cookie = client.cookies[settings.RECEIPT_COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (page, True, "Lax")
    lose_the_store()
    assert client.get(page)["Location"] == page
    assert client.get(page).status_code == 200
    assert Reservation.objects.get().status == "held"


def test_without_a_receipt_what_nobody_knows_is_not_found(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,), client = make_sale(quantity=1), shoppers(1), Client()
    client.force_login(ann)
    assert client.get(f"/sales/reservations/{item.pk}-1-1/").status_code == 404


def go_back(item: SaleItem) -> None:
    """Put the store back to where it was when the sale had just been loaded."""
    document = scheduling.document(Sale.objects.get(pk=item.sale_id))
    lose_the_store()
    for one in document["items"]:
        one.update(holders=[], owners=[], standby=[], paid=0)
    stock.run(stock.load(item.sale_id, document))


def test_a_name_that_a_stale_store_gives_again_is_displaced_under_a_longer_one(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    (rid,) = win(item, ann)
    go_back(item)
    (lie,) = attempt(item, ben)
    assert (lie.outcome, lie.rid) == ("reserved", rid)  # the same name, for somebody else
    draining.drain_once(sale_id=item.sale_id)
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get(rid=rid).user == ann
    assert Reservation.objects.get(rid=rid).status == "held"
    second = Reservation.objects.get(user=ben)
    assert (second.rid, second.status) == (f"{rid}-{ben.pk}", "displaced")
    assert OutboxMail.objects.filter(ref=second.rid, kind="displaced").exists()
    assert Sale.objects.get().paused
    client = Client()
    client.force_login(ben)
    assert client.get(f"/sales/reservations/{rid}/").status_code == 200


def test_the_very_answer_that_shows_the_loss_is_paused(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=5), shoppers(5)
    with running_gate() as gate:
        told = [attempt_at(gate, item, bearer(a_pass(item, user)))[1]["outcome"] for user in crowd[:4]]
        assert told == ["reserved"] * 4
        draining.drain_once(sale_id=item.sale_id)
        go_back(item)
        status, answer, _ = attempt_at(gate, item, bearer(a_pass(item, crowd[4])))
        assert (status, answer["outcome"]) == (503, "paused")  # the very answer that shows it
        reconcile.rebuild(sale_id=item.sale_id)
        assert units(item) == (1, 4, 0, 0) or units(item) == (0, 5, 0, 0)
        attempt_at(gate, item, bearer(a_pass(item, crowd[4])))
        assert attempt_at(gate, item, bearer(a_pass(item, crowd[4])))[1]["outcome"] == "reserved"
