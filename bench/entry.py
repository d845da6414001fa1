"""The way of a logged-in shopper into a sale: its page, the form with the captcha's picture, the answers.

Every step is walked by the whole crowd before the next one begins, so that each has a rate of its own. The
pictures are drawn before, as the worker does it in the shop: `entry_drawn_cpu_ms` says what one costs. Web
has a core for itself; database, cache and browsers share the other ones. Beside it a plain view with session
and one row written, asked by the same browsers.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from typing import NamedTuple

import psycopg2
from django.conf import settings
from django.db import connection

from accounts import captcha_pool
from bench import plain, roles, visitors
from bench.browser import Browser
from bench.entrance import STEPS, Shopper
from bench.stage import Stage

SIDE_BY_SIDE = 8
WARM_UP = 8
DRAWING_SECONDS = 60.0


class Cost(NamedTuple):
    """What one request costs: seconds of the clock, and seconds of the web role's core."""

    seconds: float
    cpu: float


def measure(stage: Stage) -> None:
    """`entry_rps` from the form to the pass, `entry_whole_rps` from the sale's page; `entry_limit_rps`."""
    crowd, letters = _crowd(stage)
    _draw_ahead(stage, len(crowd))
    with roles.own_core(stage.pid("web"), stage.store_pids.values()):
        asyncio.run(_walk(stage.pid("web"), crowd[:WARM_UP]))
        costs = asyncio.run(_walk(stage.pid("web"), crowd[WARM_UP:]))
    letters.close()
    passes = sum(settings.PASS_COOKIE in shopper.browser.cookies for shopper in crowd)
    odd = [text for shopper in crowd for text in shopper.odd][:3]
    stage.expect(passes == len(crowd), f"{passes} of {len(crowd)} shoppers got a pass: {odd}")
    stage.expect(not odd, f"steps into the sale went wrong: {odd}")
    for name, cost in costs.items():
        stage.figures.add(f"entry_{name}_rps", 1 / cost.seconds)
        stage.figures.add(f"entry_{name}_cpu_ms", cost.cpu * 1000)
    whole = sum(cost.seconds for cost in costs.values())
    stage.figures.add("entry_rps", 1 / (whole - costs["sale"].seconds))
    stage.figures.add("entry_whole_rps", 1 / whole)
    _measure_limit(stage, [shopper.browser.cookies for shopper in crowd])


def _crowd(stage: Stage) -> tuple[list[Shopper], "psycopg2.extensions.connection"]:
    """Return shoppers with sessions before a new sale, and the connection by which they read letters."""
    sale = stage.new_sale(units=1, captcha=True, question="2 + 2?", answers="4\nfour").sale
    users = visitors.verified(stage.shoppers(stage.sizes.entry_shoppers + WARM_UP))
    address = stage.role("web", path="/readyz")
    letters = psycopg2.connect(settings.DATABASE_URL)
    letters.autocommit = True
    browsers = [Browser(address, jar) for jar in visitors.session_cookies(users)]
    return [Shopper(sale, browser, letters.cursor()) for browser in browsers], letters


def _draw_ahead(stage: Stage, number: int) -> None:
    """Draw a picture for each of so many shoppers."""
    started = time.process_time()
    drawn = captcha_pool.top_up(size=number, seconds=DRAWING_SECONDS)
    if drawn:
        stage.figures.add("entry_drawn_cpu_ms", (time.process_time() - started) * 1000 / drawn)


async def _walk(pid: int, crowd: Sequence[Shopper]) -> dict[str, Cost]:
    costs = {}
    for name, step in STEPS.items():
        costs[name] = await _timed(pid, [step(one) for one in crowd], len(crowd))
    for shopper in crowd:
        shopper.browser.close()
    return costs


async def _timed(pid: int, work: Iterable[Awaitable[None]], requests: int) -> Cost:
    """Do all the work, several pieces of it side by side; return what a request cost."""
    waiting = iter(work)

    async def lead() -> None:
        for piece in waiting:
            await piece

    cpu, started = roles.cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(lead() for _ in range(SIDE_BY_SIDE)))
    return Cost((time.perf_counter() - started) / requests, (roles.cpu_seconds(pid) - cpu) / requests)


def _measure_limit(stage: Stage, cookies: Sequence[dict[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(plain.TABLE)
    path = f"/{plain.PATH}"
    address = stage.role("plain", like="web", target="bench.plain_site:application", path=path)
    browsers, each = [Browser(address, dict(jar)) for jar in cookies[:SIDE_BY_SIDE]], Asking(path)
    with roles.own_core(stage.pid("plain"), stage.store_pids.values()):
        asyncio.run(each.ask(stage.pid("plain"), browsers, 4))
        cost = asyncio.run(
            each.ask(stage.pid("plain"), browsers, stage.sizes.entry_limit_requests // SIDE_BY_SIDE)
        )
    stage.expect(each.odd == 0, f"the plain view refused {each.odd} times")
    stage.figures.add("entry_limit_rps", 1 / cost.seconds)
    stage.figures.add("entry_limit_cpu_ms", cost.cpu * 1000)


class Asking:
    """Asks for one address again and again; counts what was no answer."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.odd = 0

    async def ask(self, pid: int, browsers: Sequence[Browser], times: int) -> Cost:
        """Let every browser ask so often."""
        cost = await _timed(pid, [self._again(one, times) for one in browsers], times * len(browsers))
        for browser in browsers:
            browser.close()
        return cost

    async def _again(self, browser: Browser, times: int) -> None:
        for _ in range(times):
            self.odd += (await browser.get(self._path)).status != 200
