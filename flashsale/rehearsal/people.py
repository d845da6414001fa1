"""Who comes to a rehearsal and what they do, over real HTTP: people, impatient people, and bots that hammer.

A farm is one shopper with many accounts: each of them hammers as soon as it has been let in.

A person arrives when people do: most wait for the opening and press when they see it, the others come later.
Where lots are drawn at the opening, those who wait have lined up before it, as the sale's page asks them to.
Whoever is told to wait comes back for his turn, as the page does. A bot hammers from before the opening.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from typing import Any

from flashsale.crowd import Line
from flashsale.models import Sale

AT_OPENING = 0.6
IMPATIENT = 0.2
RELOADS = 5
HAMMER_BEFORE, HAMMER_EVERY = 7.0, 0.05
"""Seconds before the opening, and between two tries of a bot."""
GIVE_UP_AFTER = 400
"""Tries of a bot."""
HUMAN_LINES, BOT_LINES, OTHER_FILES = 1000, 32, 100
MACHINES = frozenset({"bot", "farm"})
LAST = frozenset({"reserved", "standby", "sold_out", "ended", "refused"})


@dataclass(slots=True)
class Person:
    """One shopper of a rehearsal; times in seconds since 1970, 0 for never.

    `kind` is person, impatient, bot or farm; `token` his pass, empty until he has been let in.
    """

    user: int
    token: str
    item: int
    kind: str
    pays: bool
    tries: int = 0
    last: str = "absent"
    rid: str = ""
    pay_by: int = 0
    meant_at: float = 0.0
    first_at: float = 0.0
    got_at: float = 0.0


LeadIn = Callable[[Person], Awaitable[None]]


@dataclass(slots=True)
class Tally:
    """What was answered: by kind of person and outcome, after how many s, and in which second."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    by_second: Counter[int] = field(default_factory=Counter)
    pages: Counter[int] = field(default_factory=Counter)
    page_waits: list[float] = field(default_factory=list)

    def of(self, outcome: str, *, kind: str | None = None) -> int:
        """How often an outcome was told, to one kind or to all."""
        return sum(n for (who, what), n in self.answers.items() if what == outcome and kind in (None, who))


def cast(
    tokens: Iterable[tuple[int, str]], items: list[int], *, bots: float, pay: float, seed: int
) -> list[Person]:
    """Give each shopper his part: the given share are bots, the given share of all would pay."""
    draw = random.Random(seed)  # noqa: S311 - a play, not a secret
    people = []
    for user, token in tokens:
        kind = "bot" if draw.random() < bots else "impatient" if draw.random() < IMPATIENT else "person"
        people.append(Person(user, token, draw.choice(items), kind, draw.random() < pay))
    return people


def _lines(rate: int) -> int:
    """Return over how many connections people come; one that they do not need is not opened.

    Whoever waits for a line comes late, and that is not the shop's doing. The gate holds those who are due
    within a second, and their lines with them.
    """
    wanted, files = HUMAN_LINES + rate, getrlimit(RLIMIT_NOFILE)[0]
    return wanted if files == RLIM_INFINITY else min(wanted, files - BOT_LINES - OTHER_FILES)


class Play:
    """A crowd at one gate, until everybody has his answer or the time is over."""

    def __init__(self, *, gate: str, sale: Sale, page: str, seed: int, lead_in: LeadIn) -> None:
        """`page` is the path that the impatient reload.

        `lead_in` is awaited for whoever comes without a pass, and gets him one.
        """
        self._lead_in = lead_in
        self.tally = Tally()
        self._gate, self._sale, self._page, self._lots = gate, sale.pk, page, sale.shuffle_at_open
        self._opens_at, self._ends_at = sale.opens_at.timestamp(), sale.closes_at.timestamp() - 0.5
        self._human_lines = _lines(sale.rate or 0)
        self._random = random.Random(seed)  # noqa: S311
        self._lines: dict[bool, asyncio.LifoQueue[Line]] = {}

    async def run(
        self, people: list[Person], *, tell: Callable[[int], None], got: Callable[[Person], None]
    ) -> None:
        """Play; `tell` hears how many are done, `got` who has just reserved."""
        for is_bot, count in ((True, BOT_LINES), (False, self._human_lines)):
            self._lines[is_bot] = asyncio.LifoQueue()
            for _ in range(count):
                self._lines[is_bot].put_nowait(Line(self._gate))
        done = 0

        async def play(one: Person) -> None:
            nonlocal done
            act = self._hammer if one.kind in MACHINES else self._shop
            try:
                async with asyncio.timeout_at(
                    asyncio.get_running_loop().time() + self._ends_at - time.time()
                ):
                    if not one.token:
                        await self._lead_in(one)
                    await act(one, got)
            except TimeoutError:
                pass
            done += 1
            tell(done)

        await asyncio.gather(*map(play, people))
        for lines in self._lines.values():
            while not lines.empty():
                lines.get_nowait().close()

    def _arrival(self) -> float:
        """Seconds after the opening at which somebody presses first; negative: before it."""
        if self._random.random() < AT_OPENING:
            if self._lots:
                return -HAMMER_BEFORE * self._random.random()
            return max(0.12, self._random.lognormvariate(0.0, 0.7))
        return self._random.random() * (self._ends_at - self._opens_at) / 3

    async def _shop(self, one: Person, got: Callable[[Person], None]) -> None:
        one.meant_at = self._opens_at + self._arrival()
        await asyncio.sleep(max(0.0, one.meant_at - time.time()))
        reloads = 0
        while True:
            told = await self._attempt(one, got)
            if one.last in LAST:
                return
            if one.kind == "impatient" and reloads < RELOADS:
                reloads += 1
                await self._look()
                await asyncio.sleep(self._random.uniform(0.5, 2.0))
                continue
            await asyncio.sleep(self._patience(told))

    def _patience(self, told: dict[str, Any]) -> float:
        if told.get("turn_at"):
            return float(max(0.0, (told["turn_at"] - told["now"]) / 1000 - self._random.uniform(0.4, 0.9)))
        return float(told.get("retry_after", 1)) * self._random.uniform(1.0, 1.2)

    async def _hammer(self, one: Person, got: Callable[[Person], None]) -> None:
        begin = self._opens_at - HAMMER_BEFORE + self._random.random()
        await asyncio.sleep(max(0.0, begin - time.time()))
        while one.last not in LAST and one.tries < GIVE_UP_AFTER:
            await self._attempt(one, got)
            await asyncio.sleep(HAMMER_EVERY)

    async def _attempt(self, one: Person, got: Callable[[Person], None]) -> dict[str, Any]:
        lines = self._lines[one.kind in MACHINES]
        line = await lines.get()
        began = time.time()
        one.first_at = one.first_at or began
        try:
            _status, told = await line.attempt(
                f"/gate/sales/{self._sale}/items/{one.item}/attempt", one.token
            )
        finally:
            lines.put_nowait(line)
        ended = time.time()
        one.tries += 1
        one.last = str(told.get("outcome", "error"))
        self.tally.answers[one.kind, one.last] += 1
        self.tally.by_second[int(ended)] += 1
        if one.last != "queued":  # the gate may hold whoever is nearly due; that is no slowness
            self.tally.waits.append(ended - began)
        if one.last == "reserved" and not one.rid:
            one.rid, one.pay_by, one.got_at = told["reservation"], told["pay_by"], ended
            got(one)
        return told

    async def _look(self) -> None:
        """Reload the sale's page, as an impatient person does."""
        line = await self._lines[False].get()
        began = time.time()
        try:
            status = await line.look(self._page)
        finally:
            self._lines[False].put_nowait(line)
        self.tally.pages[status] += 1
        self.tally.page_waits.append(time.time() - began)
