"""The way into a sale: from the sale's page to the pass, a shopper who is logged in.

Page, form, captcha picture, answers: four requests. Beside it a plain view with session and one row written.
Web has a core of its own; database, cache and the browsers share the other ones.
"""

import asyncio
import os
import re
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection
from django.urls import reverse

from bench import plain, roles, visitors
from bench.browser import Browser, Page
from bench.stage import Stage
from flashsale.models import Sale

SIDE_BY_SIDE = 8
KEY = re.compile(r'name="captcha_key" value="([^"]+)"')
PICTURE = re.compile(r'<img class="captcha" src="([^"]+)"')
STEPS = ("sale", "form", "picture", "answer")


def measure(stage: Stage) -> None:
    """`entry_rps` and `entry_limit_rps`, on one core of web; the cost of each step beside them."""
    number = stage.sizes.entry_shoppers
    sale = stage.new_sale(units=1, captcha=True, question="2 + 2?", answers="4\nfour").sale
    cookies = visitors.session_cookies(visitors.verified(stage.shoppers(number)))
    web = stage.role("web", path="/readyz")
    browsers = [Browser(web, dict(jar)) for jar in cookies]
    entrance = Entrance(sale)
    seconds, cpu = _on_its_own_core(stage, "web", _crowd(browsers, entrance))
    stage.expect(entrance.passes == number, f"{entrance.passes} of {number} got a pass: {entrance.odd[:3]}")
    stage.figures.add("entry_rps", number / seconds)
    stage.figures.add("entry_cpu_ms", cpu / number * 1000)
    for name in STEPS:
        stage.figures.add(f"entry_{name}_ms", sorted(entrance.times[name])[len(browsers) // 2])
    _measure_limit(stage, cookies)


class Entrance:
    """Leads browsers into one sale; reads the captcha's letters where the shop keeps them."""

    def __init__(self, sale: Sale) -> None:
        self._page = sale.get_absolute_url()
        self._form = reverse("sale-enter", args=[sale.slug])
        self._letters = psycopg2.connect(settings.DATABASE_URL)
        self._letters.autocommit = True
        self.times: dict[str, list[float]] = {name: [] for name in STEPS}
        self.odd: list[str] = []
        self.passes = 0

    async def enter(self, browser: Browser) -> None:
        """Go the whole way; count a pass if one came with the last answer."""
        self._note("sale", await browser.get(self._page), 200)
        form = await browser.get(self._form)
        self._note("form", form, 200)
        key, picture = KEY.search(form.text), PICTURE.search(form.text)
        if key is None or picture is None:
            return
        self._note("picture", await browser.get(picture[1]), 200)
        fields = {"csrfmiddlewaretoken": form.token(), "captcha_key": key[1], "answer": "4"}
        fields["captcha"] = self._read(key[1])
        self._note("answer", await browser.post(self._form, fields), 302)
        self.passes += settings.PASS_COOKIE in browser.cookies

    def _read(self, key: str) -> str:
        with self._letters.cursor() as cursor:
            cursor.execute("SELECT response FROM captcha_captchastore WHERE hashkey = %s", [key])
            row = cursor.fetchone()
        return str(row[0]) if row else ""

    def _note(self, step: str, page: Page, status: int) -> None:
        self.times[step].append(page.ms)
        if page.status != status:
            self.odd.append(f"{step} {page.status}")


async def _crowd(browsers: Sequence[Browser], entrance: Entrance) -> None:
    waiting = iter(browsers)

    async def lead() -> None:
        for browser in waiting:
            await entrance.enter(browser)
            browser.close()

    await asyncio.gather(*(lead() for _ in range(SIDE_BY_SIDE)))


def _on_its_own_core(stage: Stage, role: str, work: Coroutine[Any, Any, None]) -> tuple[float, float]:
    """Do the work while a role has the last core for itself; return seconds and seconds of its core."""
    cores = set(range(os.cpu_count() or 1))
    own = {max(cores)}
    pids = roles.tree(stage.pid(role))
    for pid in (os.getpid(), *stage.store_pids.values()):
        roles.pin(roles.tree(pid), cores - own or own)
    roles.pin(pids, own)
    try:
        cpu, started = roles.cpu_seconds(pids[0]), time.perf_counter()
        asyncio.run(work)
        return time.perf_counter() - started, roles.cpu_seconds(pids[0]) - cpu
    finally:
        for pid in (os.getpid(), *stage.store_pids.values()):
            roles.pin(roles.tree(pid), cores)


def _measure_limit(stage: Stage, cookies: Sequence[dict[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(plain.TABLE)
    address = stage.role("plain", like="web", target="bench.plain_site:application", path=f"/{plain.PATH}")
    browsers = [Browser(address, dict(cookies[number % len(cookies)])) for number in range(SIDE_BY_SIDE)]
    number, answers = stage.sizes.entry_limit_requests, list[int]()

    async def ask(browser: Browser) -> None:
        while len(answers) < number:
            answers.append((await browser.get(f"/{plain.PATH}")).status)

    async def crowd() -> None:
        await asyncio.gather(*(ask(browser) for browser in browsers))

    seconds, cpu = _on_its_own_core(stage, "plain", crowd())
    stage.expect(set(answers) == {200}, f"the plain view answered {set(answers)}")
    stage.figures.add("entry_limit_rps", len(answers) / seconds)
    stage.figures.add("entry_limit_cpu_ms", cpu / len(answers) * 1000)
