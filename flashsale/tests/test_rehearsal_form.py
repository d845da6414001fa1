"""A farm in a rehearsal that is asked for in the cockpit: its form, its mistakes, and its verdict."""

from typing import Any

import pytest
from django.test import Client

from flashsale import audit
from flashsale.models import Rehearsal, SaleItem
from flashsale.rehearsal import kept, playing, verdict
from flashsale.rehearsal.verdict import Outcome
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, do, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
TYPED = {"shoppers": "30", "bots": "0", "pay": "100", "seconds": "6"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rehearsals that a worker was asked to play."""
    rows: list[int] = []
    monkeypatch.setattr("flashsale.cockpit.rehearsals.play_rehearsal.delay", rows.append)
    return rows


def shown(client: Client, item: SaleItem) -> str:
    return words(client.get(at(item, "rehearse")))


def test_its_verdict_states_the_factor(
    make_sale: MakeSale, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(quantity=20, standby_size=5, rate=20, shuffle_at_open=True)
    merchandiser = staff("merchandiser")
    text = do(merchandiser, item, "rehearse", **TYPED, farm="40", browsers="2")
    assert "0 of 70 shoppers are done." in text
    assert "Rehearsed with 30 shoppers and a farm of 40 accounts." in words(
        merchandiser.get("/admin/flashsale/sale/log/")
    )
    monkeypatch.setattr(playing, "AFTER", 3.0)
    with running_site() as site:
        monkeypatch.setattr(playing, "own_gate", lambda: site)
        kept.play(*asked)
    row = Rehearsal.objects.get()
    seen = Outcome(**(row.outcome or {}))
    assert (row.error, row.done, seen.farm, seen.browsers, seen.others_in) == ("", 70, 40, 2, 30)
    (finding,) = [one for one in verdict.findings(item.sale, seen) if one.name == "farm"]
    told = shown(merchandiser, item)
    assert finding.sentence in told
    assert "it is slowed by a factor of" in finding.sentence
    assert "40 accounts, one network, 2 browsers;" in told


@pytest.mark.parametrize(
    "typed", [{}, {"farm": "0"}, {"farm": "", "browsers": ""}, {"farm": "0", "browsers": "9"}]
)
def test_none_comes_unless_it_is_asked_for(
    make_sale: MakeSale, asked: list[int], typed: dict[str, str]
) -> None:
    item, merchandiser = make_sale(), staff("merchandiser")
    assert "0 of 30 shoppers are done." in do(merchandiser, item, "rehearse", **TYPED, **typed)
    row = Rehearsal.objects.get()
    assert asked == [row.pk]
    assert (row.cast["farm"], row.cast["browsers"]) == (0, 1)
    assert playing.Cast(**row.cast).farm == 0
    assert audit.log(item.sale)[0].change_message == "Rehearsed with 30 shoppers."


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"farm": "3", "browsers": "4"}, "The farm has more browsers than accounts: at most one for each."),
        ({"farm": "-1"}, "greater than or equal to 0"),
        ({"farm": "9", "browsers": "0"}, "greater than or equal to 1"),
        ({"farm": "many"}, "Enter a whole number."),
        ({"farm": "8000"}, "Beside a farm at most 8000 come in all, its accounts among them."),
    ],
)
def test_what_cannot_be_played_is_said_at_its_field(
    make_sale: MakeSale, asked: list[int], typed: dict[str, str], sentence: str
) -> None:
    item, merchandiser = make_sale(), staff("merchandiser")
    assert sentence in do(merchandiser, item, "rehearse", **TYPED, **typed)
    assert asked == []
    assert not Rehearsal.objects.exists()


def test_where_the_shop_is_elsewhere_no_farm_comes(
    make_sale: MakeSale, asked: list[int], settings: Any
) -> None:
    settings.REHEARSAL_GATE = "http://gate.internal:8000"
    item, merchandiser = make_sale(), staff("merchandiser")
    said = do(merchandiser, item, "rehearse", **TYPED, farm="9")
    assert "A farm is rehearsed where worker and shop run on the same machine." in said
    assert asked == []
    assert "shoppers are done" in do(merchandiser, item, "rehearse", **TYPED)
