"""The crowd of a run: everybody attempts, and whoever got a unit pays it, twice, or not, or gives it back."""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from bench.chaos import http
from bench.chaos.http import Answer
from bench.chaos.plan import STORM_SECONDS, Plan
from bench.chaos.world import GATES, WEB, World
from bench.check.events import Writer
from bench.check.history import UNSURE

LOST = (OSError, TimeoutError, ValueError, IndexError)
PAY = re.compile(r"/orders/([0-9a-f-]{36})/pay/")
PAYMENT = re.compile(r"/payments/([0-9a-f-]{36})/")
LOOKS = (0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0)
"""How long a page that is not yet what one waits for is left alone before the next look (s)."""
PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Crowd:
    """What all shoppers of a run share; `asked` counts every attempt that was sent."""

    world: World
    plan: Plan
    history: Writer
    sale: int
    item: int
    slug: str
    sessions: dict[int, str]
    passes: dict[int, str]
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    asked: int = 0
    winners: "list[Shopper]" = field(default_factory=list)

    async def storm(self) -> None:
        """Let everybody come within the storm's seconds, and wait until the last one has gone."""
        users = list(self.passes)
        await asyncio.gather(*(Shopper(self, user).shop() for user in users))

    async def come_back(self) -> None:
        """Let everybody who was told that he has a unit look at it once more, with the receipt of each.

        Whoever still has time to pay asks for it again, too, and is to hear of the same one.
        """
        in_time = [shopper for shopper in self.winners if time.time() * 1000 < shopper.pay_by]
        await asyncio.gather(*(shopper.attempt() for shopper in in_time))
        await asyncio.gather(*(shopper.look_at_all() for shopper in self.winners))

    async def probe(self, user: int) -> bool:
        """Let one more shopper ask, after all faults; whether the answer was definite."""
        shopper = Shopper(self, user)
        return await shopper.attempt(probe=True) not in UNSURE


class Shopper:
    """One of them; what he does is drawn from the seed and his number."""

    def __init__(self, crowd: Crowd, user: int) -> None:
        self.crowd, self.user = crowd, user
        self.chance = Random(crowd.plan.seed * 1_000_003 + user)  # noqa: S311 - the same seed, the same crowd
        self.rid = ""
        self.receipts: dict[str, str] = {}
        self.pay_by = 0

    async def shop(self) -> None:
        """Come, attempt once or more, and do something with what was got."""
        plan = self.crowd.plan
        await asyncio.sleep(STORM_SECONDS * self.chance.random())
        outcome = ""
        for _ in range(self.chance.randint(1, plan.tries)):
            outcome = await self.attempt()
        for _ in range(4):
            if outcome not in (*UNSURE, "queued"):
                break
            await asyncio.sleep(self.chance.uniform(0.3, 0.8))
            outcome = await self.attempt()
        if outcome == "standby" and self.chance.random() < plan.leaves:
            await self._call("decline", self._leave)
        elif self.rid:
            await self._end()

    async def attempt(self, *, probe: bool = False) -> str:
        """Attempt once at one of the gates; return what was told."""
        crowd = self.crowd
        path = f"/gate/sales/{crowd.sale}/items/{crowd.item}/attempt"
        port = crowd.world.ports[self.chance.choice(GATES)]
        fields: dict[str, Any] = {"id": f"a{next(crowd.numbers)}", "item": crowd.item, "user": self.user}
        crowd.asked += 1
        crowd.history.write("invoke", "attempt", **fields, v={"pass": "good", "probe": probe})
        try:
            headers = {"Authorization": f"Bearer {crowd.passes[self.user]}"}
            answer = await http.ask(port, "POST", path, headers=headers)
            told = json.loads(answer.body)
        except LOST:
            crowd.history.write("info", "attempt", **fields, outcome="lost")
            return "lost"
        return self._told(fields, answer, told)

    def _told(self, fields: dict[str, Any], answer: Answer, told: dict[str, Any]) -> str:
        outcome = str(told.get("outcome", "error"))
        if outcome == "reserved":
            if not self.rid:
                self.crowd.winners.append(self)
            self.rid, self.pay_by = told["reservation"], told["pay_by"]
            self.receipts[self.rid] = told["receipt"]
            fields |= {"rid": self.rid, "pay_by": told["pay_by"], "v": {"first": answer.status == 201}}
        kind = "info" if outcome in UNSURE else "ok"
        self.crowd.history.write(kind, "attempt", **fields, outcome=outcome, n=told.get("number", 0))
        return outcome

    async def _end(self) -> None:
        order = await self._order()
        if not order:
            return
        plan, chance = self.crowd.plan, self.chance.random()
        if chance < plan.pays:
            times = 2 if self.chance.random() < plan.pays_twice else 1
            late = self.chance.random() < plan.pays_late
            if late:
                await asyncio.sleep(plan.pay_within * self.chance.uniform(0.8, 1.2))
            pays = [self._call("pay", lambda: self._pay(order)) for _ in range(times)]
            await asyncio.gather(*pays)
        elif chance < plan.pays + plan.cancels:
            await self._call("cancel", self._give_back)

    async def look_at_all(self) -> None:
        """Look at every reservation he was told of: a store that forgot may have given him another since."""
        await asyncio.gather(*map(self._look, self.receipts))

    async def _look(self, rid: str) -> None:
        """Look until the order is no longer being prepared, as an open page does: no answer is no look."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with suppress(*LOST):
                page = await self._page(rid)
                if page.status != 200 or 'data-state="preparing"' not in page.body:
                    return
            await asyncio.sleep(0.5)

    async def _page(self, rid: str) -> Answer:
        return await self._web("GET", f"/sales/reservations/{rid}/", receipt=self.receipts[rid])

    async def _order(self) -> str:
        """Look at the reservation's page until the order is there; its public id."""
        for seconds in LOOKS:
            try:
                page = await self._page(self.rid)
            except LOST:
                page = None
            found = PAY.search(page.body) if page else None
            if found:
                return found[1]
            await asyncio.sleep(seconds)
        return ""

    async def _pay(self, order: str) -> str:
        started = await self._web("POST", f"/orders/{order}/pay/", "variant=dummy")
        found = PAYMENT.search(started.headers.get("location", ""))
        if not found:
            return "refused"
        if self.chance.random() < 0.2:
            await asyncio.sleep(self.chance.uniform(0.1, 1.0))  # at the bank
        paid = await self._web("POST", f"/payments/{found[1]}/", "answer=confirmed")
        return "answered" if paid.status == 302 else "refused"

    async def _give_back(self) -> str:
        answer = await self._web("POST", f"/sales/reservations/{self.rid}/give-back/")
        return "answered" if answer.status == 302 else "refused"

    async def _leave(self) -> str:
        answer = await self._web("POST", f"/sales/{self.crowd.slug}/items/{self.crowd.item}/leave/")
        return "answered" if answer.status == 302 else "refused"

    async def _web(self, method: str, path: str, body: str = "", *, receipt: str = "") -> Answer:
        cookies = [f"__Secure-receipt={receipt}"] if receipt else []
        headers = http.browser(self.crowd.sessions[self.user], *cookies)
        answer = await http.ask(self.crowd.world.ports[WEB], method, path, headers=headers, body=body)
        if answer.status >= 500:
            raise ValueError(f"{method} {path} was answered with {answer.status}")
        return answer

    async def _call(self, op: str, act: Any) -> None:
        crowd = self.crowd
        fields: dict[str, Any] = {
            "id": f"{op[0]}{next(crowd.numbers)}",
            "item": crowd.item,
            "user": self.user,
            "rid": self.rid,
        }
        crowd.history.write("invoke", op, **fields)
        try:
            crowd.history.write("ok", op, **fields, outcome=await act())
        except LOST as error:
            crowd.history.write("info", op, **fields, outcome="lost", v={"why": str(error)[:100]})


def users_of(plan: Plan, shoppers: Sequence[int]) -> list[int]:
    """Who comes: the plan's number of shoppers, and one more who asks when all is over."""
    return list(shoppers[: plan.shoppers + 1])
