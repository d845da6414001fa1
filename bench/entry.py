"""The way of a logged-in shopper into a sale: its page, the form with the captcha's picture, the answers.

The crowd goes in groups, and each step is walked by a whole group before the next one begins, so that it has
a rate of its own. The last step is the limit: a plain view with session and one row written, asked by the
same shoppers in the same way, so that one mood of the machine is the mood of all steps. The pictures are
drawn before, as the worker does it in the shop: `entry_drawn_cpu_ms` says what one costs. Web has a core for
itself; database, cache and browsers share the other ones.
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
GROUP = 60
DRAWING_SECONDS = 60.0


class Cost(NamedTuple):
    """What a step costs: seconds of the clock, and seconds of the role's core."""

    seconds: float
    cpu: float


def measure(stage: Stage) -> None:
    """`entry_rps` from the form to the pass, `entry_whole_rps` from the sale's page; `entry_limit_rps`."""
    crowd, letters = _crowd(stage)
    _draw_ahead(stage, len(crowd))
    pids = {name: stage.pid("plain" if name == "limit" else "web") for name in STEPS}
    with roles.own_core(pids["form"], stage.store_pids.values()), roles.own_core(pids["limit"], ()):
        asyncio.run(_walk(pids, crowd[:WARM_UP]))
        costs = asyncio.run(_walk(pids, crowd[WARM_UP:]))
    letters.close()
    passes = sum(settings.PASS_COOKIE in shopper.browser.cookies for shopper in crowd)
    odd = [text for shopper in crowd for text in shopper.odd][:3]
    stage.expect(passes == len(crowd), f"{passes} of {len(crowd)} shoppers got a pass: {odd}")
    stage.expect(not odd, f"steps into the sale went wrong: {odd}")
    for name, cost in costs.items():
        stage.figures.add(f"entry_{name}_rps", 1 / cost.seconds)
        stage.figures.add(f"entry_{name}_cpu_ms", cost.cpu * 1000)
    entry = costs["form"].seconds + costs["answer"].seconds
    stage.figures.add("entry_rps", 1 / entry)
    stage.figures.add("entry_whole_rps", 1 / (entry + costs["sale"].seconds))


def _crowd(stage: Stage) -> tuple[list[Shopper], "psycopg2.extensions.connection"]:
    """Return shoppers with sessions before a new sale, and the connection by which they read letters."""
    sale = stage.new_sale(units=1, captcha=True, question="2 + 2?", answers="4\nfour").sale
    users = visitors.verified(stage.shoppers(stage.sizes.entry_shoppers + WARM_UP))
    web, beside = stage.role("web", path="/readyz"), _plain(stage)
    letters = psycopg2.connect(settings.DATABASE_URL)
    letters.autocommit = True
    crowd = [
        Shopper(sale, Browser(web, jar), Browser(beside, dict(jar)), letters.cursor())
        for jar in visitors.session_cookies(users)
    ]
    return crowd, letters


def _plain(stage: Stage) -> str:
    """Start the plain view; return where it is."""
    with connection.cursor() as cursor:
        cursor.execute(plain.TABLE)
    return stage.role("plain", like="web", target="bench.plain_site:application", path=f"/{plain.PATH}")


def _draw_ahead(stage: Stage, number: int) -> None:
    """Draw a picture for each of so many shoppers."""
    started = time.process_time()
    drawn = captcha_pool.top_up(size=number, seconds=DRAWING_SECONDS)
    if drawn:
        stage.figures.add("entry_drawn_cpu_ms", (time.process_time() - started) * 1000 / drawn)


async def _walk(pids: dict[str, int], crowd: Sequence[Shopper]) -> dict[str, Cost]:
    """Lead everybody in, group by group; return what each step cost a shopper, in the mean."""
    costs: dict[str, list[Cost]] = {name: [] for name in STEPS}
    for start in range(0, len(crowd), GROUP):
        group = crowd[start : start + GROUP]
        for name, step in STEPS.items():
            costs[name].append(await _timed(pids[name], [step(one) for one in group]))
        for shopper in group:
            shopper.leave()
    number = len(crowd)
    return {
        name: Cost(sum(each.seconds for each in spent) / number, sum(each.cpu for each in spent) / number)
        for name, spent in costs.items()
    }


async def _timed(pid: int, work: Iterable[Awaitable[None]]) -> Cost:
    """Do all the work, several pieces of it side by side; return what it cost."""
    waiting = iter(work)

    async def lead() -> None:
        for piece in waiting:
            await piece

    cpu, started = roles.cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(lead() for _ in range(SIDE_BY_SIDE)))
    return Cost(time.perf_counter() - started, roles.cpu_seconds(pid) - cpu)
