"""The account's own page."""

from django.test import Client
from django.urls import reverse

from accounts.models import User


def test_the_account_shows_address_level_and_standing(as_buyer: Client, buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(level=3)
    page = as_buyer.get(reverse("account")).content.decode()
    assert "buyer@example.com" in page
    assert "<dd>3</dd>" in page
    assert "Good: you may enter every sale whose conditions you meet." in page


def test_a_blocked_shopper_logs_in_and_is_told(as_buyer: Client, buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(standing=User.Standing.BLOCKED)
    response = as_buyer.get(reverse("account"))
    assert response.status_code == 200
    assert "Your account is blocked for sales." in response.content.decode()
