"""The forms of log in and sign up speak as the rest of the shop does."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_an_empty_login_says_what_to_enter_above_the_form_and_at_each_field(client: Client) -> None:
    page = client.post("/accounts/login/", {}).content.decode()
    assert "<title>Error: Log in" in page
    assert page.count("Enter your e-mail address, for example anna@example.com.") == 2
    assert page.count("Enter your password.") == 2
    assert '<a href="#id_login">Enter your e-mail address' in page
    assert 'aria-invalid="true" aria-describedby="id_login_error"' in page


def test_half_an_address_is_kept_and_an_example_is_given(client: Client) -> None:
    page = client.post(
        "/accounts/signup/", {"email": "anna@", "password1": "a-lamp-by-the-field"}
    ).content.decode()
    assert page.count("Enter a whole e-mail address, for example anna@example.com.") == 2
    assert 'value="anna@"' in page


def test_a_new_account_is_told_how_long_its_password_must_be(client: Client) -> None:
    page = client.post("/accounts/signup/", {"email": "anna@example.com"}).content.decode()
    assert page.count("Enter a new password of at least 10 characters.") == 2


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"])
def test_labels_stand_above_the_fields_and_never_inside(client: Client, address: str) -> None:
    form = client.get(address).content.decode().split('<form class="form"')[1]
    assert "placeholder" not in form
    assert ">E-mail address</label>" in form
