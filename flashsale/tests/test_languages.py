"""Mails of a sale in the language of each shopper."""

import pytest

from accounts.models import User
from flashsale import draining
from flashsale.reservations import expire_due
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, let_the_deadline_pass, win
from shop.orders import mail
from shop.orders.models import Order, OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_shopper_is_written_to_in_his_own_language(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, mei) = make_sale(quantity=1, standby_size=5), shoppers(2)
    User.objects.filter(pk=mei.pk).update(language="zh-hans")
    (rid,) = win(item, mei)
    attempt(item, ann)
    draining.drain_once(sale_id=item.sale_id)
    let_the_deadline_pass(rid)
    expire_due()
    draining.drain_once(sale_id=item.sale_id)
    rows = {(row.to, row.kind): row for row in OutboxMail.objects.all()}
    said = {(to, kind): row.language for (to, kind), row in rows.items()}
    assert said == {
        (mei.email, "reserved"): "zh-hans",
        (mei.email, "expired"): "zh-hans",
        (ann.email, "standby"): "en",
        (ann.email, "promoted"): "en",
    }
    assert Order.objects.get(user=mei).language == "zh-hans"
    assert mail.render(rows[mei.email, "expired"]).subject.startswith("未按时付款：")
    assert mail.render(rows[ann.email, "standby"]).subject.startswith("You are number 1 on standby")
