"""Who may enter a sale, and the one sentence for whoever may not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from flashsale.eligibility import Code, Refusal, refused, why_not
from flashsale.models import Sale, SaleItem, WhitelistEntry

NOW = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)
JOINED = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
Make = Callable[..., SaleItem]


@pytest.fixture
def sale(make_sale: Make) -> Sale:
    return make_sale(scheduled=False).sale


@pytest.fixture
def bea(db: None) -> User:
    return User.objects.create_user("bea@example.com", date_joined=JOINED, level=1)


def refusal(user: User, sale: Sale) -> Refusal:
    found = why_not(user=user, sale=sale, now=NOW)
    assert found is not None
    return found


def test_everybody_with_an_account_may_enter_an_open_sale(
    sale: Sale, bea: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert why_not(user=bea, sale=sale, now=NOW) is None


def test_a_guest_is_asked_to_log_in(sale: Sale) -> None:
    found = why_not(user=AnonymousUser(), sale=sale, now=NOW)
    assert found is not None
    assert found.code == Code.NOT_LOGGED_IN


def test_a_blocked_account_is_told_a_code_and_no_reason(sale: Sale, bea: User) -> None:
    bea.standing = User.Standing.BLOCKED
    found = refusal(bea, sale)
    assert (found.code, found.changes_at) == (Code.BLOCKED, None)
    assert found.code.value == "F-17"


def test_a_young_account_is_told_its_age_and_the_day_it_may_enter(sale: Sale, bea: User) -> None:
    sale.min_account_days = 30
    found = refusal(bea, sale)
    assert found.code == Code.TOO_YOUNG
    assert found.changes_at == JOINED + timedelta(days=30)
    assert found.sentence == (
        "This sale is for accounts older than 30 days. Yours is of Monday 1 June 2026, 08:00 UTC"
        " and may enter Wednesday 1 July 2026, 08:00 UTC."
    )


@pytest.mark.parametrize(("days", "is_in"), [(10, True), (11, True), (12, False)])
def test_an_account_is_old_enough_from_the_second_on(sale: Sale, bea: User, days: int, is_in: bool) -> None:
    sale.min_account_days = days
    assert (why_not(user=bea, sale=sale, now=NOW) is None) == is_in


@pytest.mark.parametrize(("level", "is_in"), [(0, True), (1, True), (2, False)])
def test_a_level_too_low_is_told_both_levels(sale: Sale, bea: User, level: int, is_in: bool) -> None:
    sale.min_level = level
    found = why_not(user=bea, sale=sale, now=NOW)
    assert (found is None) == is_in
    if found:
        assert found.sentence == "This sale is for shoppers of level 2 or higher. Your level is 1."


def test_only_the_list_is_let_in_whatever_the_capitals(
    sale: Sale, bea: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sale.whitelist_only = True
    assert (
        refusal(bea, sale).sentence
        == "This sale is for the people on its list. bea@example.com is not on it."
    )
    WhitelistEntry.objects.create(sale=sale, email="bea@example.com")
    bea.email = "Bea@Example.com"
    with django_assert_num_queries(1):
        assert why_not(user=bea, sale=sale, now=NOW) is None


@pytest.mark.parametrize("rule", [{"min_account_days": 30_000}, {"min_level": 9}])
def test_whoever_is_on_the_list_is_excused_from_age_and_level(
    sale: Sale, bea: User, rule: dict[str, int], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for name, value in {**rule, "list_excuses": True}.items():
        setattr(sale, name, value)
    sale.save()
    found = refusal(bea, sale)
    assert found.code in (Code.TOO_YOUNG, Code.LEVEL)
    assert found.sentence.endswith(
        "The people on its list may enter all the same; bea@example.com is not on it."
    )
    assert refused(users=[bea.pk], sale=sale, now=NOW) == {bea.pk: found.code}
    WhitelistEntry.objects.create(sale=sale, email=bea.email)
    with django_assert_num_queries(1):
        assert why_not(user=bea, sale=sale, now=NOW) is None
    assert refused(users=[bea.pk], sale=sale, now=NOW) == {}
    bea.standing = User.Standing.BLOCKED
    assert refusal(bea, sale).code == Code.BLOCKED


def test_a_list_of_another_sale_does_not_count(sale: Sale, bea: User, make_sale: Make) -> None:
    WhitelistEntry.objects.create(sale=make_sale(scheduled=False).sale, email=bea.email)
    sale.whitelist_only = True
    assert refusal(bea, sale).code == Code.NOT_LISTED


def test_where_mail_must_be_confirmed_it_is_asked_in_the_same_query(
    sale: Sale, bea: User, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    sale.whitelist_only = True
    WhitelistEntry.objects.create(sale=sale, email=bea.email)
    with django_assert_num_queries(1):
        assert refusal(bea, sale).code == Code.NOT_VERIFIED
    EmailAddress.objects.create(user=bea, email=bea.email, verified=True, primary=True)
    assert why_not(user=bea, sale=sale, now=NOW) is None
