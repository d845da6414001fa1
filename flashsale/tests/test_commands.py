"""What the commands of a sale say when they are asked for what cannot be."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from flashsale.models import Sale, SaleItem
from shop.catalogue import demo

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]


@pytest.fixture(autouse=True)
def in_development(settings: Settings) -> None:
    settings.DEBUG = True


def refusal(*command: str) -> str:
    with pytest.raises(CommandError) as told:
        call_command(*command, stdout=StringIO())
    return str(told.value)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--quantity", "0", "--quantity is a number from 1 to 1000000."),
        ("--quantity", "99999999999", "--quantity is a number from 1 to 1000000."),
        ("--standby", "-1", "--standby is a number from 0 to 1000000."),
        ("--pay-within", "4", "--pay-within is a number from 5 to 86400."),
        ("--opens-in", "-1", "--opens-in is a number from 0 to 31622400."),
        ("--open-for", "0", "--open-for is a number from 1 to 31622400."),
        ("--price", "-1", "--price is a number from 0 to 100000000."),
        ("--rate", "0", "--rate is a number from 1 to 1000000."),
        ("--tie-band", "100", "--tie-band orders a line, and without --rate there is none."),
    ],
)
def test_a_demo_sale_of_impossible_numbers_is_refused(option: str, value: str, sentence: str) -> None:
    assert refusal("demo", f"{option}={value}") == sentence
    assert Sale.objects.count() == 0


def test_a_demo_sale_needs_a_product() -> None:
    assert "run seed_demo" in refusal("demo")


def test_demo_sales_take_one_product_after_the_other() -> None:
    demo.load()
    output = StringIO()
    call_command("demo", stdout=output)
    call_command("demo", opens_in=0, stdout=output)
    first, second = SaleItem.objects.order_by("pk")
    assert first.variant.product_id != second.variant.product_id
    assert output.getvalue().splitlines()[-1] == f"sale={second.sale_id} item={second.pk}"


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--shoppers", "0", "--shoppers is a number from 1 to 1000000."),
        ("--seconds", "-1", "--seconds is a number from 0 to 3600."),
        ("--gate", "nonsense", "--gate is an address such as http://127.0.0.1:8000."),
    ],
)
def test_an_impossible_crowd_is_refused(option: str, value: str, sentence: str) -> None:
    assert refusal("crowd", f"{option}={value}") == sentence


def test_a_crowd_without_a_sale_is_told_how_to_make_one() -> None:
    assert refusal("crowd") == "No sale is running. Make one: manage.py demo --opens-in 0"
    assert refusal("crowd", "7") == "No sale with the number 7 is scheduled or running."


def test_a_crowd_before_closed_doors_says_so(make_sale: Make) -> None:
    make_sale()
    told = refusal("crowd", "--shoppers=2", "--seconds=0", "--gate=http://127.0.0.1:1")
    assert told == "The gate at http://127.0.0.1:1 does not answer: is that the shop's address?"


def test_crowds_and_passes_are_refused_outside_development(
    settings: Settings, make_sale: Make, tmp_path: Path
) -> None:
    settings.DEBUG = False
    sale = str(make_sale().sale_id)
    passes = ("issue_passes", sale, "--count=2", f"--out={tmp_path / 'passes'}")
    assert refusal("crowd", sale) == "A crowd is for development: it takes real units."
    assert "add --yes-really" in refusal(*passes)
    call_command(*passes, "--yes-really", stdout=StringIO())
    assert len((tmp_path / "passes").read_text().splitlines()) == 2


def test_passes_for_no_sale_or_for_nobody_are_refused(make_sale: Make, tmp_path: Path) -> None:
    sale = str(make_sale().sale_id)
    out = f"--out={tmp_path / 'passes'}"
    assert refusal("issue_passes", "7777", "--count=1", out) == "There is no sale with the number 7777."
    assert refusal("issue_passes", sale, "--count=0", out) == "--count is at least 1."
    assert "cannot be written" in refusal("issue_passes", sale, "--count=1", f"--out={tmp_path}/no/passes")


def test_the_figures_of_no_sale_are_refused() -> None:
    assert refusal("reconcile", "7") == "There is no scheduled sale with the number 7."
