"""How many processes of each role a sale needs, from what one of them was measured to do.

The figures are those of the benchmark (`bench/results/latest.json`, flat keys), and those of the sale's last
rehearsal, where it showed more. What nobody has measured yet is an assumption and is named as one.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from flashsale.models import Rehearsal, Sale
from flashsale.rehearsal.verdict import LAG_SECONDS, SLOW_MS

LOAD = 0.6
"""Of a core's time that a process may be planned to use: the rest is for what the plan does not know."""
LEAD = timedelta(minutes=30)
WARM_UP = timedelta(minutes=10)
AFTER = timedelta(minutes=15)
ROLES = ("edge", "gate", "live", "web", "worker")
Processes = dict[str, int]


class NoFigures(Exception):
    """There are no measured figures there; the text says how to get them."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What one thing costs on one core, in seconds; the store's decision is of its one thread."""

    edge_refusal: float
    gate_refusal: float
    gate_win: float
    store_decision: float
    order: float
    entry: float
    bytes_a_shopper: float

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> "Costs":
        """Take the unit costs out of the benchmark's figures; raises NoFigures."""
        try:
            pages = ("entry_sale_cpu_ms", "entry_form_cpu_ms", "entry_answer_cpu_ms", "entry_drawn_cpu_ms")
            # nginx and its load share two cores in the benchmark: about half of them is nginx's.
            return cls(
                edge_refusal=1 / figures.get("edge_refused_rps", 0.5 * figures["nginx_rps"]),
                gate_refusal=figures["refusals_gate_cpu_us"] / 1e6,
                gate_win=figures["wins_gate_cpu_us"] / 1e6,
                store_decision=1 / figures["store_batched_rps"],
                order=1 / figures["orders_rps"],
                entry=sum(figures[name] for name in pages) / 1000,
                bytes_a_shopper=figures["bytes_per_loser"],
            )
        except (KeyError, ZeroDivisionError) as error:
            raise NoFigures(
                f"The figures lack {error}: run `make bench`, or name a file of a whole run."
            ) from error


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to come: people, units, and the seconds in which they enter, press, and get their orders."""

    crowd: int
    units: int
    entering: float = 1800.0
    pressing: float = 10.0
    recording: float = 60.0
    presses: float = 1.5


def rehearsed(sale: Sale, costs: Costs, demand: Demand) -> tuple[Costs, Demand]:
    """Return both as the last rehearsal of the sale showed them; as they are where it has had none.

    How often a shopper presses is what the cast did. A role that fell behind did all it could, so what it
    did then is what it costs here. It is taken for the work of one process and only ever makes a cost higher:
    how many processes there were, the rehearsal does not know.
    """
    seen = (
        Rehearsal.objects.filter(sale=sale, outcome__isnull=False).values_list("outcome", flat=True).first()
    )
    if seen is None:
        return costs, demand
    demand = replace(demand, presses=max(1.0, seen["answers"] / max(1, seen["people"] + seen["bots"])))
    if seen["lag"] > LAG_SECONDS and seen["peak_orders"] and not seen["worker_was_away"]:
        costs = replace(costs, order=max(costs.order, 1 / seen["peak_orders"]))
    if seen["p99_ms"] > SLOW_MS and seen["peak_answers"]:
        costs = replace(costs, gate_refusal=max(costs.gate_refusal, 1 / seen["peak_answers"]))
    return costs, demand


def read_figures(path: Path) -> dict[str, float]:
    """Read a file of figures; raises NoFigures."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NoFigures(f"There are no figures in {path}: run `make bench`, or name another file.") from error
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def processes(costs: Costs, demand: Demand) -> Processes:
    """Return how many processes of each role carry this demand, each on a core of its own."""
    presses = demand.crowd * demand.presses
    refused = max(0.0, presses - demand.units)
    gate = demand.units * costs.gate_win + refused * costs.gate_refusal
    needed = {
        "edge": presses * costs.edge_refusal / demand.pressing,
        "gate": gate / demand.pressing,
        "web": demand.crowd * costs.entry / demand.entering,
        "worker": demand.units * costs.order / demand.recording,
    }
    found = {role: max(1, math.ceil(cores / LOAD - 1e-9)) for role, cores in needed.items()}
    found["edge"] = max(2, found["edge"])  # one may die
    found["gate"] = max(2, found["gate"])
    found["live"] = max(1, math.ceil(demand.crowd / (LOAD * settings.LIVE_MAX_CONNECTIONS)))
    return {role: found[role] for role in ROLES}


def everyday() -> Processes:
    """What runs while there is no sale."""
    return dict.fromkeys(ROLES, 1) | {"edge": 2, "web": 2}


def plan(*, sale: Sale, demand: Demand, costs: Costs) -> dict[str, Any]:
    """Return processes and schedule of a sale: scaled out before entry, warmed up, and back after it."""
    found = processes(costs, demand)
    ready_at = sale.opens_at - timedelta(seconds=demand.entering) - LEAD
    steps = [
        _step("scale out", ready_at, found),
        _step("warm up", sale.opens_at - WARM_UP, found),
        _step("scale in", sale.closes_at + AFTER, everyday()),
    ]
    return {
        "sale": sale.pk,
        "slug": sale.slug,
        "crowd": demand.crowd,
        "units": demand.units,
        "presses": round(demand.presses, 2),
        "opens_at": sale.opens_at.isoformat(),
        "closes_at": sale.closes_at.isoformat(),
        "processes": found,
        "line_rate": math.floor(LOAD / costs.store_decision),
        "store_bytes": math.ceil(demand.crowd * costs.bytes_a_shopper),
        "schedule": steps,
    }


def _step(action: str, at: datetime, found: Processes) -> dict[str, Any]:
    at = at.replace(second=0, microsecond=0)
    cron = f"{at.minute} {at.hour} {at.day} {at.month} *"
    return {"do": action, "at": at.isoformat(), "cron": cron, "time_zone": "UTC", "processes": found}


def cron_jobs(plan: Mapping[str, Any], *, image: str) -> dict[str, Any]:
    """Return the schedule as a list of Kubernetes CronJobs, for `kubectl apply -f -`.

    A cron line has no year: each job deletes itself by `manage.py` being run again for the next sale; until
    then `startingDeadlineSeconds` keeps a job of last year from being made up for.
    """
    jobs = [_cron_job(plan, step, image) for step in plan["schedule"]]
    return {"apiVersion": "v1", "kind": "List", "items": jobs}


def _cron_job(plan: Mapping[str, Any], step: Mapping[str, Any], image: str) -> dict[str, Any]:
    name = f"sale-{plan['sale']}-{step['do'].replace(' ', '-')}"
    if step["do"] == "warm up":
        container: dict[str, Any] = {"image": image, "args": ["manage", "warm", str(plan["sale"])]}
        container["envFrom"] = [{"configMapRef": {"name": "shop"}}, {"secretRef": {"name": "shop"}}]
    else:
        # The autoscaler's own bounds are moved: it would undo what is done to a deployment behind its back.
        wanted = " && ".join(
            f"kubectl patch hpa/{role} --type=merge "
            f'--patch=\'{{"spec": {{"minReplicas": {count}, "maxReplicas": {2 * count}}}}}\''
            for role, count in step["processes"].items()
        )
        container = {"image": "registry.k8s.io/kubectl:v1.33.0", "command": ["sh", "-c", wanted]}
    pod = {
        "serviceAccountName": "scaler",
        "restartPolicy": "OnFailure",
        "containers": [{"name": "step", **container}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": {"sale": str(plan["sale"])}},
        "spec": {
            "schedule": step["cron"],
            "timeZone": step["time_zone"],
            "startingDeadlineSeconds": 300,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 3, "template": {"spec": pod}}},
        },
    }
