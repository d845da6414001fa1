"""Runs the league: every variant on the same server with the same load, ours beside them at the gate."""

import time
from pathlib import Path

from bench import load
from bench.league import memory, models, urls
from bench.league.variants import VARIANTS
from bench.load import Told
from bench.stage import Stage
from flashsale import crowd, draining
from flashsale.models import Reservation, Sale

WORKERS = "2"  # processes: with one, Python's lock would do the waiting instead of the database's
CONNECTIONS = 64


def measure(stage: Stage) -> None:
    """`league_<name>_rps`, `_p99_ms`, `_oversold`, `_undersold`, `_durable` of each variant."""
    number, units = stage.sizes.league_attempts, stage.sizes.league_units
    signed = crowd.issue_passes(Sale(pk=urls.SALE), stage.shoppers(number))
    files = stage.folder / "passes-league"
    load.write_passes(files, list(signed), threads=stage.sizes.threads)
    address = stage.role(
        "league",
        like="web",
        target="bench.league.site:application",
        path=f"/{urls.PATH}",
        more=["--workers", WORKERS],
    )
    for name, variant in VARIANTS.items():
        models.fill(units)
        memory.fill(units)
        told = _attempts(stage, address, name, files)
        stage.expect_all_answered(told, number)
        _tell(stage, name, told, sold=models.Order.objects.count(), is_durable=variant.is_durable)
    _ours(stage)


def _attempts(stage: Stage, address: str, name: str, files: Path) -> Told:
    return load.attempts(
        address,
        f"/{urls.PATH}/{name}",
        files,
        connections=min(CONNECTIONS, stage.sizes.connections),
        threads=stage.sizes.threads,
        constant_path=f"/{urls.PATH}",
    )


def _ours(stage: Stage) -> None:
    """The gate with the same crowd; `ours_with_orders` counts the time until every order is a row, too."""
    item = stage.new_sale(units=stage.sizes.league_units)
    told = stage.attempt("gate", item, stage.shoppers(stage.sizes.league_attempts))
    behind = time.perf_counter()
    draining.drain_once(sale_id=item.sale_id)
    drained = time.perf_counter() - behind
    orders = Reservation.objects.filter(item=item, order__isnull=False).count()
    stage.expect(orders == stage.sizes.league_units, f"ours sold {orders} of {stage.sizes.league_units}")
    _tell(stage, "ours", told, sold=orders, is_durable=True)
    stage.figures.add("league_ours_with_orders_rps", told.requests / (told.seconds + drained))


def _tell(stage: Stage, name: str, told: Told, *, sold: int, is_durable: bool) -> None:
    units = stage.sizes.league_units
    stage.figures.add(f"league_{name}_rps", told.rps)
    stage.figures.add(f"league_{name}_p99_ms", told.percentiles[99])
    stage.figures.add(f"league_{name}_oversold", max(0, sold - units))
    stage.figures.add(f"league_{name}_undersold", max(0, units - sold))
    stage.figures.add(f"league_{name}_durable", is_durable)
