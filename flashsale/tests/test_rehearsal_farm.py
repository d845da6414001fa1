"""One shopper with many accounts in a rehearsal: slowed at the entry by a factor that the report states."""

import json
import os
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from flashsale.models import Entrance
from flashsale.rehearsal import door, shadow
from flashsale.rehearsal.playing import Cast
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.gates import running_gate
from flashsale.tests.pages import logged_in
from flashsale.tests.test_rehearsal import GOOD, judged, leaves_nothing, play

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
AT_MOST = 30


def test_a_farm_in_one_browser_is_slowed_and_nothing_of_it_is_left(make_sale: MakeSale) -> None:
    item = make_sale(quantity=40, standby_size=20, rate=20, shuffle_at_open=True)
    with running_site() as site:
        seen = play(item, site, shoppers=100, bots=0.0, farm=120)
    assert (seen.farm, seen.browsers) == (120, 1)
    assert AT_MOST <= seen.farm_in <= 2 * AT_MOST, "more than once, where it met the edge of two windows"
    assert seen.others_in == 100, "everybody else has a network and a browser of his own"
    assert seen.farm_slowed == seen.farm_tries - seen.farm_in > 0
    assert seen.farm_units <= seen.farm_in
    assert f"{120 / seen.farm_in:.1f}" in judged(item.sale, seen)["farm"].sentence
    assert seen.stores_agree
    assert leaves_nothing(item)
    assert (Entrance.objects.count(), Session.objects.count(), EmailAddress.objects.count()) == (0, 0, 0)


def test_in_as_many_browsers_its_network_slows_it(make_sale: MakeSale) -> None:
    item = make_sale(quantity=20, standby_size=20, rate=20, shuffle_at_open=True)
    with running_site() as site:
        seen = play(item, site, shoppers=20, bots=0.0, farm=180, browsers=180)
    assert 60 <= seen.farm_in <= 120, "more than 60, where it met the edge of two windows, wherever that was"


def test_the_command_states_the_factor(make_sale: MakeSale) -> None:
    """FARM=1000 brings more. The report stays in .data/ to be read."""
    farm, out = int(os.environ.get("FARM", "60")), StringIO()
    item = make_sale(quantity=farm // 10, standby_size=20, rate=20, shuffle_at_open=True, pay_within=600)
    file = settings.BASE_DIR / ".data" / f"rehearsal-farm-{farm}.json"
    minutes = "1" if farm > 100 else "0.1"
    with running_site() as site, suppress(SystemExit):  # a slow machine may be judged too slow
        call = ["rehearse", str(item.sale_id), "--shoppers", str(farm), "--bots", "0", "--farm", str(farm)]
        call_command(*call, "--minutes", minutes, "--gate", site, "--out", str(file), stdout=out)
    file.with_suffix(".txt").write_text(out.getvalue())
    assert f"{farm:,} accounts, one network, 1 browsers" in out.getvalue()
    assert "it is slowed by a factor of" in out.getvalue()
    kept = json.loads(file.read_text())
    assert AT_MOST <= kept["farm_in"] <= 2 * AT_MOST


@pytest.mark.parametrize(
    ("changed", "is_good", "words"),
    [
        (
            {"farm_in": 30, "farm_units": 3},
            True,
            "slowed by a factor of 33. It got 3 units, as many others 50.",
        ),
        ({"farm_in": 500, "farm_units": 5}, True, "slowed by a factor of 2.0."),
        ({"farm_in": 30, "farm_units": 6}, False, "Its few were first: draw lots at the opening"),
        ({"farm_in": 0, "farm_units": 0}, True, "slowed by a factor of 1,000."),
    ],
)
def test_a_farm_is_judged(make_sale: MakeSale, changed: dict[str, Any], is_good: bool, words: str) -> None:
    seen = replace(GOOD, farm=1000, browsers=1, others_in=2000, **changed)
    found = judged(make_sale().sale, seen)["farm"]
    assert (found.is_good, words in found.sentence) == (is_good, True), found.sentence
    assert "farm" not in judged(make_sale().sale, GOOD)


def test_only_its_own_shoppers_enter_a_rehearsal(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    copy = shadow.make(sale=make_sale().sale, opens_in=60, open_for=60)
    address = f"/sales/{copy.slug}/enter/"
    (rival,) = shoppers(1)
    for client in (Client(), logged_in(rival)):
        assert client.post(address).status_code == 404
        assert client.get(address).status_code == 404
    (own,) = shadow.make_shoppers(copy, 1)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = door.log_in(copy, [own])[own]
    assert settings.PASS_COOKIE in client.post(address).cookies
    other = shadow.make(sale=copy, opens_in=60, open_for=60)
    assert client.post(f"/sales/{other.slug}/enter/").status_code == 404


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--farm", "-1"), "A farm has up to 20000 accounts"),
        (("--farm", "10", "--browsers", "11"), "in at least one browser and at most one each"),
        (("--farm", "10", "--browsers", "0"), "in at least one browser and at most one each"),
        (("--farm", "10", "--gate", "http://shop.example.com:80"), "at a shop on this machine"),
    ],
)
def test_the_command_says_what_is_wrong(make_sale: MakeSale, args: tuple[str, ...], sentence: str) -> None:
    item = make_sale()
    with pytest.raises(CommandError, match=sentence):
        call_command("rehearse", str(item.sale_id), "--shoppers", "3", *args)
    assert leaves_nothing(item)


def test_a_farm_needs_a_shop_and_not_only_its_gate(make_sale: MakeSale) -> None:
    item = make_sale()
    with running_gate() as gate, pytest.raises(CommandError, match="Nobody can enter at"):
        call_command("rehearse", str(item.sale_id), "--shoppers", "3", "--farm", "3", "--gate", gate)
    assert leaves_nothing(item)


def test_the_cast_leaves_time_for_everybody_to_enter() -> None:
    assert Cast(1000).lead == Cast(1000, farm=0).lead < 9
    assert Cast(1000, farm=1000).lead > 50
