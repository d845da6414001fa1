"""The account's own page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from accounts.models import User
from accounts.urls import urlpatterns


def test_the_account_shows_address_level_and_standing(as_buyer: Client, buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(level=3)
    page = as_buyer.get(reverse("account")).content.decode()
    assert "buyer@example.com" in page
    assert "<dd>3</dd>" in page
    assert "Good: you may enter every sale whose conditions you meet." in page


def test_the_account_tells_its_age_in_the_days_that_sales_count(as_buyer: Client, buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(date_joined=timezone.now() - timedelta(days=30, hours=23))
    assert "(30 days)" in as_buyer.get(reverse("account")).content.decode()


@pytest.mark.parametrize("name", ["orders", "reservations", "addresses", "sales"])
def test_the_account_leads_to_what_is_the_shoppers(as_buyer: Client, name: str) -> None:
    page = as_buyer.get(reverse("account")).content.decode()
    assert f'<h2><a href="{reverse(name)}">' in page


def test_a_blocked_shopper_logs_in_and_is_told(as_buyer: Client, buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(standing=User.Standing.BLOCKED)
    response = as_buyer.get(reverse("account"))
    assert response.status_code == 200
    assert "Your account is blocked for sales." in response.content.decode()


OPEN = {
    *("account_login", "account_signup", "account_reset_password", "account_reset_password_from_key"),
    *("captcha-image", "captcha-audio"),
}


@pytest.mark.parametrize("pattern", [p for p in urlpatterns if p.name not in OPEN], ids=lambda p: p.name)
def test_every_other_page_of_the_account_asks_for_a_login(
    client: Client, db: None, pattern: URLPattern
) -> None:
    arguments = dict.fromkeys(pattern.pattern.converters, 1)
    for method in (client.get, client.post):
        response = method(reverse(pattern.name, kwargs=arguments))
        assert response["Location"].startswith(reverse("account_login"))
