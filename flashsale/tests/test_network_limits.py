"""What a thousand accounts of one network gain at the entry: counted, and told in docs/security.md."""

from random import Random

import pytest
from django.core.cache import cache
from django.test import RequestFactory
from time_machine import travel

from accounts.limits import count
from accounts.models import User
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt
from flashsale.views_entry import ADDRESS, TRIES
from shop.metrics import registry

ACCOUNTS = 1000


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


def _entered(address: str, *, first: int = 1) -> int:
    """How many of a thousand accounts may try to enter, each once; `{}` in the address is the account."""
    passed = 0
    for number in range(first, first + ACCOUNTS):
        request = RequestFactory().post("/", REMOTE_ADDR=address.format(number // 250, number % 250 + 1))
        request.user = User(pk=number)
        passed += count(request, TRIES, ADDRESS).left >= 0
    return passed


def refused(limit: str) -> float:
    """How often this limit said no so far, as Prometheus is told."""
    return float(registry.get_sample_value("shop_limited_total", {"limit": limit}) or 0)


def test_a_thousand_accounts_of_one_network_enter_sixty_a_minute() -> None:
    before = refused("sale entry address")
    with travel("2030-01-01T12:00:00Z", tick=False) as clock:
        minutes = [_entered("192.0.2.7")]
        for _ in range(2):
            clock.shift(60)
            minutes.append(_entered("192.0.2.7", first=ACCOUNTS * (len(minutes) + 1)))
    assert minutes == [60, 60, 60]
    assert -(-ACCOUNTS // 60) == 17
    assert refused("sale entry address") - before == 3 * (ACCOUNTS - 60)


def test_a_thousand_shoppers_of_as_many_networks_enter_at_once() -> None:
    with travel("2030-01-01T12:00:00Z", tick=False):
        assert _entered("10.9.{}.{}") == ACCOUNTS


@pytest.mark.django_db(transaction=True)
def test_in_a_sale_they_win_less_than_a_tenth_of_what_as_many_others_win(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, bots, others = make_sale(quantity=100), shoppers(ACCOUNTS), shoppers(ACCOUNTS)
    with travel("2030-01-01T12:00:00Z", tick=False):
        come = [*bots[: _entered("192.0.2.7")], *others[: _entered("10.9.{}.{}")]]
    Random(1).shuffle(come)  # nobody is quicker than anybody else
    winners = {user.pk for user, told in zip(come, attempt(item, *come), strict=True) if told.rid}
    won = len(winners & {user.pk for user in bots})
    assert len(winners) == 100
    assert 0 < won <= (100 - won) / 10


def test_neighbours_of_one_ipv6_network_are_one() -> None:
    with travel("2030-01-01T12:00:00Z", tick=False):
        assert _entered("2001:db8::{}:{}") == 60


def test_one_account_that_changes_its_network_has_ten_tries() -> None:
    before = refused("sale entry account")
    with travel("2030-01-01T12:00:00Z", tick=False):
        tries = []
        for number in range(1, 21):
            request = RequestFactory().post("/", REMOTE_ADDR=f"198.51.100.{number}")
            request.user = User(pk=7)
            tries.append(count(request, TRIES, ADDRESS).left >= 0)
    assert tries == [True] * 10 + [False] * 10
    assert refused("sale entry account") - before == 10
