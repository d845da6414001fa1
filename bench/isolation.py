"""Whether the shop stays as fast as on an ordinary day while the gate is saturated.

On two cores the gate, its store and the load share the first one; web, database, cache and the measuring
browser the second one: each role scales by itself, and a storm at the one must not be felt at the other.
"""

import asyncio
import os
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from django.urls import reverse

from accounts.models import User
from bench import load, roles, visitors
from bench.browser import Browser, Page
from bench.load import Told
from bench.stage import Stage, attempt_path
from flashsale.models import SaleItem
from shop.catalogue.models import Product, Variant
from shop.up.messages import say

GATE_CORE, WEB_CORE = {0}, {1}
PAGES_A_LOGIN = 5
Times = dict[str, list[float]]


def measure(stage: Stage) -> None:
    """`isolation_ratio`: p95 busy over idle of the page that suffers most; the core by itself beside it."""
    if (os.cpu_count() or 1) < 2:
        say("    isolation skipped: it needs two cores")
        return
    visit = Visit(stage.role("web", path="/readyz"), visitors.with_password(stage.shoppers(200)))
    stage.role("gate")
    item = stage.new_sale(units=stage.sizes.units, standby=stage.sizes.standby)
    files = stage.passes(item, stage.shoppers(stage.sizes.busy_passes))
    seconds = stage.sizes.seconds * 2
    _pin(stage)
    try:
        asyncio.run(visit.walk(0))  # once around, so that nothing is done for the first time
        alone = _pace()
        idle = asyncio.run(visit.walk(seconds))
        busy, told, beside = _while_saturated(stage, item, files, visit)
    finally:
        _unpin(stage)
    stage.expect(not visit.odd, f"pages that were not as they should be: {visit.odd}")
    stage.figures.add("isolation_gate_rps", told.rps)
    stage.figures.add("isolation_core_ratio", beside / alone)
    _tell(stage, idle, busy)


class Visit:
    """One visitor who logs in again and again, and another, logged in, who shops."""

    def __init__(self, address: str, guests: list[User]) -> None:
        self._address = address
        self._guests: Iterator[str] = cycle(user.email for user in guests)
        self._cookies = visitors.session_cookies(guests[:1])[0]
        number = Product.objects.count() + 1
        self._product = Product.objects.create(handle=f"pages-{number}", title=f"Pages {number}")
        self._variant = Variant.objects.create(product=self._product, sku=f"P-{number}", price=1900, stock=9)
        self._is_filled = False
        self.odd: list[str] = []

    async def walk(self, seconds: float) -> Times:
        """Visit the pages for so long, at least once; return how long each answer took (ms)."""
        times: Times = defaultdict(list)
        shopper, until = Browser(self._address, dict(self._cookies)), time.monotonic() + seconds
        if not self._is_filled:
            await self._fill(shopper)
        while True:
            await self._log_in(times)
            for _ in range(PAGES_A_LOGIN):
                for name, path in self._paths():
                    self._note(times, name, await shopper.get(path), 200)
            if time.monotonic() >= until:
                shopper.close()
                return times

    def _paths(self) -> list[tuple[str, str]]:
        product = self._product.get_absolute_url()
        return [("product", product), ("cart", reverse("cart")), ("checkout", reverse("checkout"))]

    async def _fill(self, shopper: Browser) -> None:
        page = await shopper.get(self._product.get_absolute_url())
        fields = {"csrfmiddlewaretoken": page.token(), "variant": str(self._variant.pk), "quantity": "1"}
        self._note({}, "add", await shopper.post(reverse("cart-add"), fields), 302)
        self._is_filled = True

    async def _log_in(self, times: Times) -> None:
        guest = Browser(self._address)
        page = await guest.get(reverse("account_login"))
        self._note(times, "login_page", page, 200)
        fields = {"csrfmiddlewaretoken": page.token(), "login": next(self._guests)}
        fields["password"] = visitors.PASSWORD
        self._note(times, "login", await guest.post(reverse("account_login"), fields), 302)
        guest.close()

    def _note(self, times: Times, name: str, page: Page, status: int) -> None:
        if page.status != status:
            self.odd.append(f"{name} {page.status}")
        elif name in times or isinstance(times, defaultdict):
            times[name].append(page.ms)


def _while_saturated(stage: Stage, item: SaleItem, files: Path, visit: Visit) -> tuple[Times, Told, float]:
    seconds, told = stage.sizes.seconds * 2, []

    def storm() -> None:
        os.sched_setaffinity(0, GATE_CORE)  # this thread, and wrk, which it starts
        address, connections = stage.role("gate"), stage.sizes.connections
        told.append(
            load.attempts(
                address,
                attempt_path(item),
                files,
                connections=connections,
                threads=stage.sizes.threads,
                at_most=seconds + 3,
                again=True,
            )
        )

    storming = threading.Thread(target=storm)
    storming.start()
    time.sleep(1)
    pace = _pace()
    busy = asyncio.run(visit.walk(seconds))
    storming.join()
    return busy, told[0], pace


def _pace() -> float:
    """Return the seconds of a fixed piece of work on web's core, which does nothing else meanwhile.

    Cores that share a physical one slow each other: no separation of roles gets under this ratio.
    """
    times = []
    for _ in range(5):
        started = time.perf_counter()
        sum(number * number % 7 for number in range(300_000))
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _pin(stage: Stage) -> None:
    for name in ("gate", "web"):
        roles.pin(roles.tree(stage.pid(name)), GATE_CORE if name == "gate" else WEB_CORE)
    for name, pid in stage.store_pids.items():
        roles.pin(roles.tree(pid), GATE_CORE if name == "valkey" else WEB_CORE)
    os.sched_setaffinity(0, WEB_CORE)


def _unpin(stage: Stage) -> None:
    pids = [stage.pid("gate"), stage.pid("web"), *stage.store_pids.values(), os.getpid()]
    for pid in pids:
        roles.pin(roles.tree(pid), set(range(os.cpu_count() or 1)))


def _tell(stage: Stage, idle: Times, busy: Times) -> None:
    ratios = []
    for name, quick in idle.items():
        before, after = p95(quick), p95(busy[name])
        stage.figures.add(f"isolation_{name}_idle_ms", before)
        stage.figures.add(f"isolation_{name}_busy_ms", after)
        ratios.append(after / before)
    stage.figures.add("isolation_ratio", max(ratios))


def p95(values: list[float]) -> float:
    """Return the 95th percentile of a few values."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
