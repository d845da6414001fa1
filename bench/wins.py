"""Every attempt wins: durable reservations a second, with group commit and without, and at half the rate."""

import json
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django_redis import get_redis_connection

from bench import limits, metrics
from bench.load import Told
from bench.stage import Stage, attempt_path, settled
from flashsale import stock
from flashsale.models import SaleItem

HALF_SECONDS = 4


def measure(stage: Stage) -> None:
    """`wins_rps`, its latencies, and the sizes of the batches; `limit_rps` beside it."""
    limits.measure_limit(stage)
    gate, number = stage.role("gate"), stage.sizes.wins
    item = stage.new_sale(units=number)
    before = metrics.read(gate)
    told = stage.attempt("gate", item, stage.shoppers(number))
    expect_won(stage, item, told, number)
    _tell(stage, "wins", told)
    stage.tell_costs("wins", told)
    sizes = metrics.histogram(metrics.read(gate) - before, "flashsale_gate_batch_size")
    stage.pictures["batches"] = sizes
    stage.figures.add("wins_batch_mean", number / max(1, sum(sizes.values())))


def measure_percall(stage: Stage) -> None:
    """`wins_percall_rps`: the same gate with one call an attempt; the store counts the calls."""
    number = stage.sizes.wins_percall
    stage.role("percall", like="gate", target="bench.percall:application")
    item = stage.new_sale(units=number)
    before = _calls()
    told = stage.attempt("percall", item, stage.shoppers(number))
    calls = _calls() - before
    expect_won(stage, item, told, number)
    stage.expect(calls >= number, f"{number} attempts in {calls} calls are not one call each")
    _tell(stage, "wins_percall", told)


def measure_half(stage: Stage) -> None:
    """`half_rate_p99_ms`: arrivals at random at half of what `wins` measured, on a clock of their own."""
    rate = (stage.figures.median("wins_rps") or 1000.0) / 2
    number = int(rate * min(HALF_SECONDS, stage.sizes.seconds + 1))
    item = stage.new_sale(units=number)
    address, files = stage.role("gate"), stage.passes(item, stage.shoppers(number))
    names = [f"{files}.{part + 1}" for part in range(stage.sizes.threads)]
    command = [sys.executable, "-m", "bench.openloop", address, attempt_path(item)]
    command += [settings.PASS_COOKIE, str(rate), *names]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    for name in names:
        Path(name).unlink()
    stage.expect(told["outcomes"] == {"reserved": number}, f"{number} arrivals ended as {told['outcomes']}")
    stage.expect(settled(item).held == number, "the store holds another number than was answered")
    for point in ("p50", "p95", "p99", "max"):
        stage.figures.add(f"half_rate_{point}_ms", told["percentiles"][point])
    stage.figures.add("half_rate_rps", told["rps"])
    stage.figures.add("half_rate_late_p99_ms", told["late_p99_ms"])
    stage.figures.add("half_rate_driver_share", told["share"])
    stage.pictures["half"] = {float(point): ms for point, ms in told["points"].items()}


def expect_won(stage: Stage, item: SaleItem, told: Told, number: int) -> None:
    """Expect that everybody was told of a first reservation, and that the store holds and logged each."""
    stage.expect(told.answers == {"201 reserved": number}, f"not all of {number} won: {told.answers}")
    stage.expect(settled(item).held == number, f"the store holds {settled(item).held} of {number} units")
    logged = get_redis_connection("sale").xlen(stock.sale_keys(item.sale_id)[1])
    stage.expect(logged == number, f"the stream has {logged} of {number} reservations")


def _tell(stage: Stage, name: str, told: Told) -> None:
    stage.figures.add(f"{name}_rps", told.rps)
    for point in (50, 95, 99):
        stage.figures.add(f"{name}_p{point}_ms", told.percentiles[point])
    stage.figures.add(f"{name}_max_ms", told.max_ms)
    stage.pictures[name] = told.percentiles


def _calls() -> int:
    found = get_redis_connection("sale").info("commandstats").get("cmdstat_fcall", {})
    return int(found.get("calls", 0))
