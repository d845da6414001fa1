"""How many processes a sale needs, and when they start and stop."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from flashsale import capacity
from flashsale.capacity import Costs, Demand
from flashsale.models import Rehearsal
from flashsale.tests.conftest import MakeSale

FIGURES = {
    "nginx_rps": 100_000,
    "refusals_gate_cpu_us": 50,
    "wins_gate_cpu_us": 100,
    "store_batched_rps": 50_000,
    "orders_rps": 2_000,
    "entry_sale_cpu_ms": 10,
    "entry_form_cpu_ms": 4,
    "entry_answer_cpu_ms": 3,
    "entry_drawn_cpu_ms": 11,
    "bytes_per_loser": 40,
}
COSTS = Costs.of(FIGURES)


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("capacity", *arguments, stdout=out)
    return out.getvalue()


def test_each_role_is_work_divided_by_time_and_head_room() -> None:
    found = capacity.processes(COSTS, Demand(1_000_000, 10_000, entering=1800, pressing=10))
    assert found["web"] == 26  # 1,000,000 * 28 ms / 1800 s = 15.6 cores, at 60 %
    assert found["gate"] == 13  # (10,000 / 10,000 + 1,490,000 / 20,000) s / 10 s = 7.55 cores, at 60 %
    assert found["worker"] == 1
    assert found["live"] == 93  # 18,000 streams a process, at 60 %
    assert found["edge"] == 5  # 1,500,000 / 50,000 s / 10 s = 3 cores, at 60 %


def test_ten_times_the_crowd_is_about_ten_times_the_gates_and_a_longer_entry_fewer_webs() -> None:
    small = capacity.processes(COSTS, Demand(1_000_000, 100))
    large = capacity.processes(COSTS, Demand(10_000_000, 100))
    longer = capacity.processes(COSTS, Demand(10_000_000, 100, entering=18_000))
    assert 9 <= large["gate"] / small["gate"] <= 10
    assert longer["web"] == pytest.approx(large["web"] / 10, abs=1)


def test_somebody_may_die_even_in_a_small_sale() -> None:
    found = capacity.processes(COSTS, Demand(10, 1))
    assert found == {"edge": 2, "gate": 2, "live": 1, "web": 1, "worker": 1}


@pytest.mark.django_db
def test_the_schedule_scales_out_before_entry_warms_up_and_scales_in_after_the_end(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    opens_at = datetime(2031, 6, 12, 10, 0, tzinfo=UTC)
    item = make_sale(quantity=100, opens_at=opens_at, closes_at=opens_at + timedelta(hours=2))
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(FIGURES))
    plan = json.loads(told(str(item.sale_id), "--crowd", "100000", "--figures", str(path), "--json"))
    steps = [(step["do"], step["cron"]) for step in plan["schedule"]]
    assert steps == [("scale out", "0 9 12 6 *"), ("warm up", "50 9 12 6 *"), ("scale in", "15 12 12 6 *")]
    assert plan["schedule"][0]["processes"] == plan["processes"]
    assert plan["schedule"][2]["processes"]["gate"] == 1
    jobs = json.loads(told(str(item.sale_id), "--crowd", "100000", "--figures", str(path), "--kubernetes"))
    assert [job["kind"] for job in jobs["items"]] == ["CronJob"] * 3
    out = jobs["items"][0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"][2]
    gates = plan["processes"]["gate"]
    patch = f'{{"spec": {{"minReplicas": {gates}, "maxReplicas": {2 * gates}}}}}'
    assert f"kubectl patch hpa/gate --type=merge --patch='{patch}'" in out
    assert "web" in told(str(item.sale_id), "--crowd", "100000", "--figures", str(path))


@pytest.mark.django_db
def test_a_rehearsal_tells_how_often_people_press_and_which_role_fell_behind(
    make_sale: MakeSale, bea: User, tmp_path: Path
) -> None:
    item, path = make_sale(quantity=100_000), tmp_path / "figures.json"
    path.write_text(json.dumps(FIGURES))

    def plan() -> dict[str, Any]:
        arguments = (str(item.sale_id), "--crowd", "1000000", "--figures", str(path), "--json")
        found: dict[str, Any] = json.loads(told(*arguments))
        return found

    seen: dict[str, float] = {
        "people": 900,
        "bots": 100,
        "answers": 3000,
        "peak_answers": 500,
        "peak_orders": 200,
    }
    seen |= {"lag": 0.5, "p99_ms": 20.0, "worker_was_away": False}
    before = plan()
    row = Rehearsal.objects.create(sale=item.sale, by=bea, cast={}, outcome=seen)
    calm = plan()
    assert (before["presses"], calm["presses"]) == (1.5, 3.0)
    assert calm["processes"]["gate"] > before["processes"]["gate"]
    assert calm["processes"]["worker"] == before["processes"]["worker"] == 2
    row.outcome = seen | {"lag": 30.0, "p99_ms": 2000.0}
    row.save()
    behind = plan()["processes"]
    assert behind["worker"] == 14  # 100,000 / 200 s / 60 s = 8.3 cores, at 60 %
    assert behind["gate"] > calm["processes"]["gate"]


@pytest.mark.django_db
def test_what_cannot_be_worked_out_is_told_in_a_sentence(make_sale: MakeSale, tmp_path: Path) -> None:
    item = make_sale()
    with pytest.raises(CommandError, match="There is no sale with the number 0"):
        told("0", "--crowd", "1")
    with pytest.raises(CommandError, match="must be above 0"):
        told(str(item.sale_id), "--crowd", "0")
    with pytest.raises(CommandError, match="There are no figures in"):
        told(str(item.sale_id), "--crowd", "1", "--figures", str(tmp_path / "none"))
    (tmp_path / "some").write_text("{}")
    with pytest.raises(CommandError, match="The figures lack 'nginx_rps': run `make bench`"):
        told(str(item.sale_id), "--crowd", "1", "--figures", str(tmp_path / "some"))


@pytest.mark.django_db
def test_the_warm_up_brings_the_sale_into_the_store(make_sale: MakeSale) -> None:
    item, out = make_sale(quantity=7), StringIO()
    call_command("warm", str(item.sale_id), stdout=out)
    assert f"sale={item.sale_id} " in out.getvalue()
    assert "free=7" in out.getvalue()
    draft = make_sale(scheduled=False)
    with pytest.raises(CommandError, match="The sale is not in the store"):
        call_command("warm", str(draft.sale_id))
