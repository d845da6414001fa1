"""The demo shop."""

import io
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Address, User
from shop.catalogue.models import Category, Product, ProductImage, Variant
from shop.catalogue.prose import clean
from shop.up.demo import DEMO_ACCOUNTS

pytestmark = pytest.mark.django_db


def seed(*options: str) -> str:
    out = io.StringIO()
    call_command("seed_demo", *options, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def in_development(settings: Settings) -> None:
    settings.DEBUG = True


def test_the_demo_shop_has_enough_to_look_at() -> None:
    seed()
    assert Product.objects.published().count() >= 24
    assert Category.objects.filter(products__published=True).distinct().count() == 6
    assert set(Product.objects.values_list("kind", flat=True)) == {"shipped", "collected", "slot"}
    assert Variant.objects.filter(stock=0).exists()


def test_every_picture_of_the_demo_shop_is_there_and_described() -> None:
    seed()
    sources = dict(ProductImage.objects.values_list("source", "alt"))
    assert len(sources) == Product.objects.count()
    assert [source for source, alt in sources.items() if not finders.find(source) or not alt] == []


def test_texts_of_the_demo_shop_survive_cleaning_unchanged() -> None:
    seed()
    assert [product.handle for product in Product.objects.all() if clean(product.body) != product.body] == []


def test_slots_of_the_demo_shop_have_a_place_and_lie_ahead() -> None:
    seed()
    slots = Variant.objects.filter(product__kind="slot")
    assert slots.count() >= 4
    assert not slots.filter(slot_place="").exists()
    assert not slots.exclude(slot_starts_at__gt=timezone.now()).exists()
    assert slots.filter(price=0).exists()


def test_a_second_run_adds_nothing_and_touches_nothing() -> None:
    assert seed() == f"Added {Product.objects.count()} products and 5 accounts to the demo shop.\n"
    Variant.objects.update(stock=1, price=2)
    Product.objects.update(title="Renamed")
    User.objects.get(email="shopper@example.com").set_password("another")
    assert seed() == "Added 0 products and 0 accounts to the demo shop.\n"
    assert set(Variant.objects.values_list("stock", "price")) == {(1, 2)}
    assert set(Product.objects.values_list("title", flat=True)) == {"Renamed"}


def test_a_later_run_moves_slots_that_have_passed() -> None:
    seed()
    long_ago = timezone.now() - timedelta(days=9)
    Variant.objects.filter(product__kind="slot").update(slot_starts_at=long_ago)
    seed()
    assert not Variant.objects.filter(slot_starts_at__lt=timezone.now()).exists()


def test_everybody_can_log_in_with_a_verified_address() -> None:
    seed()
    for _role, email, password in DEMO_ACCOUNTS:
        assert User.objects.get(email=email).check_password(password)
        assert EmailAddress.objects.filter(email=email, verified=True, primary=True).count() == 1


def test_roles_get_their_groups_and_no_more() -> None:
    seed()
    staff = {
        user.email: [group.name for group in user.groups.all()] for user in User.objects.filter(is_staff=True)
    }
    assert staff == {
        "merchandiser@example.com": ["merchandiser"],
        "support@example.com": ["support"],
        "admin@example.com": [],
    }
    assert [user.email for user in User.objects.filter(is_superuser=True)] == ["admin@example.com"]


def test_shoppers_have_an_address_to_send_to() -> None:
    seed()
    owners = Address.objects.filter(is_default=True).values_list("user__email", flat=True)
    assert sorted(owners) == ["rival@example.com", "shopper@example.com"]


def test_outside_development_it_asks_twice(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="--yes-really"):
        seed()
    assert (Product.objects.count(), User.objects.count()) == (0, 0)
    assert seed("--yes-really").startswith("Added ")
