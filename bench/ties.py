"""A fast and a slow line to the shop press at the same moment: who gets the units, without and with lots."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from bench.stage import Stage, attempt_path
from flashsale import crowd, line, stock
from flashsale.models import SaleItem
from shop.up.messages import Trouble

FAST_MS, SLOW_MS = 5, 80
OPENS_IN = timedelta(seconds=1)


def measure(stage: Stage) -> None:
    """`tie_0_fast_share`, `tie_100_fast_share`: of the units; `tie_100_difference`: fast minus slow."""
    stage.figures.add("tie_0_fast_share", _share(stage, tie_band=0, presses=1))
    share = _share(stage, tie_band=100, presses=stage.sizes.tie_presses)
    stage.figures.add("tie_100_fast_share", share)
    stage.figures.add("tie_100_difference", abs(2 * share - 1))


def _share(stage: Stage, *, tie_band: int, presses: int) -> float:
    """Return the share of the units that the fast half got, over so many sales."""
    number = stage.sizes.ties
    fast = stage.shoppers(2 * number)[:number]
    winners = [user for _ in range(presses) for user in _press(stage, tie_band, number)]
    stage.expect(len(winners) == presses * number // 2, f"{len(winners)} units went to somebody")
    return sum(user in fast for user in winners) / len(winners)


def _press(stage: Stage, tie_band: int, number: int) -> list[int]:
    """Let both groups press at the opening of a sale with units for a quarter; return who got one.

    When a band of 100 ms is drawn, those of the first 1.1 seconds' tickets are served, all at one instant:
    the rate is such that they are no more than the units. Were they more, the order in which the gates hear
    of them would decide among them.
    """
    units, users = number // 2, stage.shoppers(2 * number)
    rate = units * 10 // 11
    with _ready(stage, number) as client:
        opens_at = timezone.now() + OPENS_IN
        item = stage.new_sale(units=units, rate=rate, tie_band=tie_band, opens_at=opens_at)
        passes = stage.folder / "presses"
        passes.write_text("\n".join(crowd.issue_passes(item.sale, users)))
        told = json.loads(client.communicate(f"{opens_at.timestamp()} {attempt_path(item)} {passes}\n")[0])
    losers = told.get("sold_out", 0) + told.get("queued", 0)  # queued: the last in line, a moment before
    is_right = told.get("reserved") == units and losers == 2 * number - units and "late" not in told
    stage.expect(is_right, f"{2 * number} presses ended as {told}")
    winners = list(stock.run(stock.members(item.sale_id, item.pk)).holders)
    _expect_in_order(stage, item, winners)
    return winners


@contextmanager
def _ready(stage: Stage, number: int) -> Iterator["subprocess.Popen[str]"]:
    """Start the client and wait until its connections are open."""
    command = [sys.executable, "-m", "bench.presses", stage.role("gate"), settings.PASS_COOKIE]
    command += [str(number), str(FAST_MS), str(SLOW_MS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        if client.stdout is None or client.stdout.readline() != "ready\n":
            raise Trouble("The shoppers of `ties` could not connect to the gate.")
        yield client


def _expect_in_order(stage: Stage, item: SaleItem, winners: list[int]) -> None:
    places = list(line.read(item.sale_id))
    faults = [fault for place in places if (fault := line.fault(item.sale, place))]
    stage.expect(not faults, f"the line is not what arrival and key say: {faults[:1]}")
    first = {place.user for place in places[: len(winners)]}
    stage.expect(set(winners) == first, f"{len(first - set(winners))} units went past the head of the line")
    if item.sale.tie_band:
        bands = [place.band for place in places]
        stage.figures.add("tie_100_late", len(bands) - bands.count(bands[0]))
