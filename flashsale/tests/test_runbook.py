"""The runbook: ten situations with their five parts; the commands in it are run as they stand there."""

import io
import re

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

from flashsale.tests.conftest import MakeSale, MakeShoppers, is_clean, win

TEXT = (settings.BASE_DIR / "docs" / "runbook.md").read_text()
SITUATIONS = re.split(r"^## \d+\. ", TEXT, flags=re.MULTILINE)[1:]
COMMANDS = sorted(set(re.findall(r"^    manage\.py (.+)$", TEXT, re.MULTILINE)))


def test_there_are_ten_situations() -> None:
    assert len(SITUATIONS) == 10


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda text: text.partition("\n")[0])
def test_each_says_what_to_see_to_type_and_never_to_do(situation: str) -> None:
    assert [part for part in ("See", "Mean", "Type", "Verify", "Never") if f"*{part}*" not in situation] == []


def test_the_alerts_it_names_are_those_that_there_are() -> None:
    rules = yaml.safe_load((settings.BASE_DIR / "docker/prometheus/alerts.yml").read_text())
    named = {
        name for names in re.findall(r"\*See\* \[([^\]]+)\]", TEXT) for name in re.findall(r"\w+", names)
    }
    assert named == {rule["alert"] for rule in rules["groups"][0]["rules"]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run_as_they_stand_there(
    command: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item = make_sale()
    ann, ben = shoppers(2)
    win(item, ann, ben)
    name, *options = command.replace("SALE", str(item.sale_id)).replace("EMAIL", ann.email).split()
    call_command(name, *options, stdout=io.StringIO())
    assert is_clean(item)


def test_there_are_commands_to_run() -> None:
    assert COMMANDS == ["axes_reset", "reconcile SALE", "reconcile SALE --rebuild", "reset_second_step EMAIL"]
