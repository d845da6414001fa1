"""Open pages: what a stream costs, how fast all hear a change, how fast each hears of his order."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from bench import load, roles
from bench.openloop import POINTS, percentile
from bench.stage import Stage, attempt_path
from flashsale import crowd, stock
from flashsale.models import Reservation, SaleItem

HEALTH = "/gate/live/healthz"
OTHER = "flashsale.live.asgi:application"
BESIDE = 1_000
"""Files that a process needs beside its streams."""
BROADCASTS = 4
WITHIN = 20.0
HOLDERS = 2_000
PRESS_SECONDS = 4


class Listeners:
    """A process of pages (see `bench.listeners`)."""

    def __init__(self, address: str, item: SaleItem, users: Sequence[int], folder: Path) -> None:
        file = folder / f"listeners-{users[0]}"
        file.write_text("\n".join(crowd.issue_passes(item.sale, users)))
        path = f"/gate/sales/{item.sale_id}/events"
        command = [sys.executable, "-m", "bench.listeners", address, settings.PASS_COOKIE, path, str(file)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = self.hear()
        file.unlink()

    def hear(self) -> dict[str, Any]:
        """Read one answer."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def order(self, **order: Any) -> None:
        """Send a command, and wait until it is understood."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self.hear()

    def close(self) -> None:
        """Hang up, all of them."""
        self._process.communicate()


def measure(stage: Stage) -> None:
    """Memory of both servers, then everything else with the one that the shop uses."""
    _measure_other(stage)
    sizes, item = stage.sizes, stage.new_sale(units=stage.sizes.live_results + HOLDERS)
    address, pid = stage.role("live", path=HEALTH), stage.pid("live")
    users = stage.shoppers(HOLDERS + sizes.live)
    listeners = users[HOLDERS:][: _at_most(sizes.live)]
    first, rest = listeners[: sizes.live_broadcast], listeners[sizes.live_broadcast :]
    _warm(stage, address, item, users[0])
    before = roles.rss_kib(pid)
    with _listening(stage, address, item, first) as pages:
        _broadcast(stage, item, pages, len(first))
        _results(stage, item, pages, users[:HOLDERS])
        with _listening(stage, address, item, rest) as more:
            number = pages.opened["open"] + more.opened["open"]
            stage.figures.add("live_connections", number)
            stage.figures.add("live_kib_each", (_settled_kib(pid) - before) / number)
    stage.stop("live", "worker", "beat")


def _measure_other(stage: Stage) -> None:
    """`live_granian_kib_each`: the same application on the server of the gate."""
    item, number = stage.new_sale(units=1), stage.sizes.live_other
    address = stage.role("live-granian", like="gate", target=OTHER, path=HEALTH)
    pid, users = stage.pid("live-granian"), stage.shoppers(number + 1)
    _warm(stage, address, item, users[0])
    before = roles.rss_kib(pid)
    with _listening(stage, address, item, users[1:]) as pages:
        stage.figures.add("live_granian_kib_each", (_settled_kib(pid) - before) / pages.opened["open"])
    stage.stop("live-granian")


@contextmanager
def _listening(stage: Stage, address: str, item: SaleItem, users: Sequence[int]) -> Iterator[Listeners]:
    pages = Listeners(address, item, users, stage.folder)
    told = {"open": len(users), "greeted": len(users)}
    stage.expect(pages.opened == told, f"{len(users)} pages listen: {pages.opened}")
    try:
        yield pages
    finally:
        pages.close()


def _at_most(number: int) -> int:
    """How many streams a process may hold here."""
    return min(number, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - BESIDE)


def _warm(stage: Stage, address: str, item: SaleItem, user: int) -> None:
    with _listening(stage, address, item, [user]):
        time.sleep(0.2)


def _settled_kib(pid: int) -> int:
    time.sleep(2)
    return roles.rss_kib(pid)


def _broadcast(stage: Stage, item: SaleItem, pages: Listeners, number: int) -> None:
    """`broadcast_p99_ms`: from the change in the store to the pages that hear it."""
    for turn in range(BROADCASTS):
        is_paused = turn % 2 == 0
        time.sleep(1)
        pages.order(text=f'"state": "{"paused" if is_paused else "running"}"', seconds=WITHIN)
        published = time.time()
        stock.run(stock.pause(item.sale_id, paused=is_paused))
        told = pages.hear()
        took = sorted(at - published for at in told["at"])
        stage.expect(len(took) == number, f"{len(took)} of {number} pages heard a change")
        for point in (50, 99):
            stage.figures.add(f"broadcast_p{point}_ms", percentile(took, point))
    stage.pictures["broadcast"] = {point: percentile(took, point) for point in POINTS}
    stage.figures.add("broadcast_pages", number)


def _results(stage: Stage, item: SaleItem, pages: Listeners, holders: Sequence[int]) -> None:
    """`result_p95_ms`: from the press to the pushed order, while the gate decides at half of `wins_rps`.

    Those of the load hold a unit each and press again and again: the store decides each press, and only the
    listeners' presses become orders.
    """
    gate, number = stage.role("gate"), stage.sizes.live_results
    pairs = [(item.pk, user) for user in holders]
    stock.run(stock.attempt(item.sale_id, pairs, per_minute=10_000))
    stage.start_worker(item=item)
    _wait_for_orders(item, len(holders))
    driver = _drive(stage, gate, item, holders)
    pages.order(
        text='"kind": "ready"',
        seconds=WITHIN,
        press=attempt_path(item),
        gate=gate,
        number=number,
        over=PRESS_SECONDS,
    )
    took = sorted(pages.hear()["took"])
    told = json.loads(driver.communicate()[0])
    orders = Reservation.objects.filter(item=item, order__isnull=False).count() - len(holders)
    stage.expect(len(took) == number, f"{len(took)} of {number} shoppers were told of their order")
    stage.expect(orders == number, f"{orders} of {number} orders are in PostgreSQL")
    stage.expect(set(told["outcomes"]) == {"reserved"}, f"the load was told {told['outcomes']}")
    for point in (50, 95, 99):
        stage.figures.add(f"result_p{point}_ms", percentile(took, point))
    stage.pictures["result"] = {point: percentile(took, point) for point in POINTS}
    stage.figures.add("result_load_rps", told["rps"])


def _drive(stage: Stage, gate: str, item: SaleItem, holders: Sequence[int]) -> "subprocess.Popen[str]":
    rate = (stage.figures.median("wins_rps") or stage.sizes.live_rate) / 2
    passes = list(crowd.issue_passes(item.sale, holders))
    times = 1 + int(rate * (PRESS_SECONDS + 1) / len(passes))
    files = stage.folder / "again"
    load.write_passes(files, passes * times, threads=1)
    command = [sys.executable, "-m", "bench.openloop", gate, attempt_path(item), settings.PASS_COOKIE]
    return subprocess.Popen([*command, str(rate), f"{files}.1"], stdout=subprocess.PIPE, text=True)


def _wait_for_orders(item: SaleItem, number: int) -> None:
    deadline = time.monotonic() + WITHIN
    while Reservation.objects.filter(item=item).count() < number and time.monotonic() < deadline:
        time.sleep(0.1)
