"""Well-known recipes for a flash sale, as small as they are told, each with its fault left in.

Told by: nghdavid/miaosha (Node.js: the people queue, its delay queue, its buy call, its order table), and by
the usual articles on backend strategies (the counter script), on interviews (the one-time token) and on
vaccination drives (the throttle cookie). Written anew against the stores that ours runs on, so that one test
can be put to both. Where a recipe does in two steps what must be one, it calls `between` there: that is where
another process comes by, or where this one dies.
"""

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django_redis import get_redis_connection

Step = Callable[[], object]


def nothing() -> None:
    """Nobody comes by."""


def store() -> Any:
    """The sale's memory; the tests empty it before and after."""
    return get_redis_connection("sale")


class CheckedCounter:
    """Fault 1. A script that checks the counter, then `INCR`: the limit itself still passes."""

    CHECK = "if tonumber(redis.call('GET', KEYS[1])) > tonumber(ARGV[1]) then return 0 else return 1 end"

    def __init__(self, *, quantity: int) -> None:
        self.quantity = quantity
        store().set("recipe:counter", 0)

    def attempt(self, _user: int) -> bool:
        """Whether the shopper was sold one."""
        if not store().eval(self.CHECK, 1, "recipe:counter", self.quantity):
            return False
        store().incr("recipe:counter")
        return True


class PeopleQueue:
    """Fault 2. `DECR`; below zero a separate `INCR` and `LPUSH` put the shopper on standby."""

    def __init__(self, *, quantity: int) -> None:
        store().delete("recipe:standby")
        store().set("recipe:stock", quantity)

    def attempt(self, user: int, *, between: Step = nothing) -> str:
        """Reserve a unit or stand by."""
        if store().decr("recipe:stock") >= 0:
            return "reserved"
        between()
        store().incr("recipe:stock")
        store().lpush("recipe:standby", user)
        return "standby"

    def release(self) -> None:
        """A unit was not paid: to the first on standby, or back to the stock."""
        if store().rpop("recipe:standby") is None:
            store().incr("recipe:stock")

    def free_and_waiting(self) -> tuple[int, int]:
        """Free units, and shoppers who stand by."""
        return int(store().get("recipe:stock")), store().llen("recipe:standby")


class DelayQueue:
    """Fault 3. Deadlines as messages that come back after their time, in a broker that is not durable."""

    def __init__(self, broker: Any) -> None:
        self.broker = broker

    def put(self, user: int, *, due_ms: int) -> None:
        """Remind us of this shopper's unit at `due_ms` (since 1970)."""
        self.broker.zadd("recipe:deadlines", {str(user): due_ms})

    def due(self, *, now_ms: int) -> list[int]:
        """Shoppers whose time is over."""
        return [int(user) for user in self.broker.zrangebyscore("recipe:deadlines", 0, now_ms)]


def buy_for_whom_the_body_names(request: HttpRequest) -> HttpResponse:
    """Fault 4. The buy call: the right answer is asked for, who asks is read from the request's body."""
    body = json.loads(request.body)
    if {1: "A", 2: "B", 3: "C", 4: "D", 5: "E"}[body["question"]] != body["answer"]:
        return HttpResponse(status=400)
    store().sadd("recipe:buyers", body["user_id"])
    return HttpResponse(status=202)


class Consumer:
    """Fault 5. One unit a shopper by `GET` and then `SET`; his deadline is put away after his status."""

    def __init__(self, *, quantity: int) -> None:
        store().set("recipe:stock", quantity)
        self.deadlines = DelayQueue(store())

    def consume(
        self, user: int, *, due_ms: int = 0, seen: Step = nothing, before_deadline: Step = nothing
    ) -> None:
        """Handle one message of the queue: this shopper wants a unit."""
        status = store().get(f"recipe:status:{user}")
        seen()
        if status is None and store().decr("recipe:stock") >= 0:
            store().set(f"recipe:status:{user}", "won")
            before_deadline()
            self.deadlines.put(user, due_ms=due_ms)

    def release_due(self, *, now_ms: int) -> None:
        """Free the units whose time is over."""
        for _user in self.deadlines.due(now_ms=now_ms):
            store().incr("recipe:stock")

    def free(self) -> int:
        """Units in stock."""
        return int(store().get("recipe:stock"))


class OrderTable:
    """Fault 6. Whoever the store has let through is inserted; the table knows no stock."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS recipe_orders")
            cursor.execute("CREATE TEMPORARY TABLE recipe_orders (item int, buyer int, UNIQUE (item, buyer))")

    def insert(self, *, item: int, user: int) -> None:
        """Record an order."""
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO recipe_orders VALUES (%s, %s)", [item, user])

    def count(self) -> int:
        """Orders."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM recipe_orders")
            return int(cursor.fetchone()[0])


class OneTimeToken:
    """Fault 7. The server hands out a token; whoever can `DEL` it is the first, any other is a repeat."""

    def issue(self, token: str) -> None:
        """Hand out a token that lives for five minutes."""
        store().set(f"recipe:token:{token}", 1, ex=300)

    def submit(self, token: str, act: Callable[[], object], *, between: Step = nothing) -> object | None:
        """Do `act` the first time and return its answer; None tells a repeat that it is one."""
        if not store().delete(f"recipe:token:{token}"):
            return None
        between()
        return act()


class CookieQueue:
    """Fault 8. First come, first served by the time of entry, which the shopper's cookie carries."""

    def enter(self, user: int, *, cookies: dict[str, str]) -> None:
        """Queue the shopper; a cookie without a time of entry gets one."""
        seconds, micro = store().time()
        cookies.setdefault("entered_at", f"{seconds}.{micro:06d}")
        store().zadd("recipe:queue", {str(user): float(cookies["entered_at"])})

    def serve(self) -> int:
        """Let the next one through."""
        return int(store().zpopmin("recipe:queue")[0][0])
