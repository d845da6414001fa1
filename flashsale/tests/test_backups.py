"""A backup in mid-sale, then a disaster, then the way back."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django_redis import get_redis_connection

from flashsale import draining
from flashsale.models import Reservation, Sale
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, is_clean, pay, units, win
from shop.orders.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def test_restored_in_mid_sale_nothing_acknowledged_before_the_backup_is_lost(
    make_sale: MakeSale, shoppers: MakeShoppers, tmp_path: Path
) -> None:
    item, (ann, ben, cid, dan, eve) = make_sale(quantity=4, standby_size=2), shoppers(5)
    (anns, bens) = win(item, ann, ben)
    pay(anns)
    (told,) = attempt(item, cid)  # acknowledged, and not yet recorded
    call_command("backup", str(tmp_path / "saved"))
    (later,) = win(item, dan)  # after the backup: lost with what the disaster took
    Order.objects.filter(reservation__rid=bens).update(status="cancelled")
    get_redis_connection("sale").flushall()
    call_command("restore", str(tmp_path / "saved"), "--overwrite")
    assert units(item) == (1, 2, 1, 0)
    assert is_clean(item)
    rows = dict(Reservation.objects.values_list("rid", "status"))
    assert rows == {anns: "paid", bens: "held", told.rid: "held"}
    again, new = attempt(item, cid, eve)
    assert (again.rid, again.pay_by) == (told.rid, told.pay_by)
    assert new.rid.split("-")[1] == "2"
    assert new.rid != later
    draining.drain_once(sale_id=item.sale_id)
    assert is_clean(item)


def test_names_given_after_the_backup_are_never_given_again(
    make_sale: MakeSale, shoppers: MakeShoppers, tmp_path: Path
) -> None:
    item, (ann, ben) = make_sale(quantity=2), shoppers(2)
    call_command("backup", str(tmp_path))
    call_command("reconcile", str(item.sale_id), "--rebuild", "--receipts", "0")
    (lost,) = win(item, ann)
    call_command("restore", str(tmp_path), "--overwrite")
    assert Sale.objects.get().epoch == 3
    assert attempt(item, ben)[0].rid != lost


def test_what_cannot_be_saved_or_put_back_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("an older backup")
    with pytest.raises(CommandError, match="is not empty"):
        call_command("backup", str(tmp_path))
    with pytest.raises(CommandError, match=r"add --overwrite"):
        call_command("restore", str(tmp_path))
    with pytest.raises(CommandError, match=r"is no backup: rows\.dump and memory\.jsonl is not there"):
        call_command("restore", str(tmp_path), "--overwrite")
    (tmp_path / "rows.dump").write_text("no dump")
    (tmp_path / "memory.jsonl").write_text("")
    with pytest.raises(CommandError, match="pg_restore failed"):
        call_command("restore", str(tmp_path), "--overwrite")
