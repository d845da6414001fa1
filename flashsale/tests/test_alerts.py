"""The alert rules: each fires on its fault, keeps silent otherwise, and asks for figures that we give."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client

from flashsale.gate.metrics import Metrics
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, let_the_deadline_pass, win

FOLDER = settings.BASE_DIR / "docker" / "prometheus"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
TESTS = yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]
PROMTOOL = shutil.which("promtool")


def _test_rules(folder: Path) -> "subprocess.CompletedProcess[str]":
    if PROMTOOL is None:
        pytest.skip("No promtool here: apt-get install prometheus")
    command = [PROMTOOL, "test", "rules", "alerts_test.yml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_each_rule_fires_on_its_fault_and_keeps_silent_otherwise() -> None:
    done = _test_rules(FOLDER)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_rule_has_both_kinds_of_test(rule: dict[str, Any]) -> None:
    told = [one["alert_rule_test"][0] for one in TESTS]
    fires = {bool(one["exp_alerts"]) for one in told if one["alertname"] == rule["alert"]}
    assert fires == {True, False}


@pytest.mark.parametrize(("right", "wrong"), [("> 12", "> 1200"), ("> 12", "> 1"), ("> 300", "> 0")])
def test_a_rule_that_is_wrong_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    rules = (FOLDER / "alerts.yml").read_text()
    assert rules.count(right) == 1
    (tmp_path / "alerts.yml").write_text(rules.replace(right, wrong))
    shutil.copy(FOLDER / "alerts_test.yml", tmp_path)
    assert _test_rules(tmp_path).returncode != 0


@pytest.mark.django_db(transaction=True)
def test_the_rules_ask_for_figures_that_are_given(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=5), shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, ben)
    let_the_deadline_pass(rid)
    gate = Metrics()
    gate.attempt("reserved", 0.001)
    given = Client().get("/metrics").content.decode() + gate.text()
    asked = {name for rule in RULES for name in re.findall(r"\b(?:flashsale|shop)_\w+", rule["expr"])}
    assert {name for name in asked if not re.search(rf"^{name}[{{ ]", given, re.MULTILINE)} == set()
    assert re.search(r"^flashsale_deadline_overdue_seconds [1-9]", given, re.MULTILINE)
    assert re.search(rf'^flashsale_sale_live{{sale="{item.sale_id}"}} 1', given, re.MULTILINE)
    assert re.search(rf'^flashsale_sale_paused{{sale="{item.sale_id}"}} 0', given, re.MULTILINE)
