"""Shedding by lot: how many of a crowd the edge has to forward so that every unit is sold all the same.

Each node of the edge reports how many shoppers of a sale wait there without having pressed. From that, from
what is left and from how long the sale has been open the centre works out one chance for each node; a node
forwards whoever's lot is below it. The word lives for seconds: without it everybody is forwarded.
"""

import hmac
import math
import time
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.utils import timezone
from django_redis import get_redis_connection
from redis import RedisError

from flashsale import stock
from flashsale.models import Sale
from flashsale.replies import Status

RISK = 1e-6
"""The most that the probability of a unit left over may be."""
PRESSING = 0.5
"""Of those who wait at the opening at least this share presses; of those who still wait, half as many every
ten seconds. Too high a figure leaves units lying, too low a one forwards more than must be."""
HALVES_EVERY = 10.0
LAST_CALL = timedelta(minutes=1)
REPORT_LIVES = 5
CHANCE_LIVES = 3
NODES_AT_MOST, SALES_AT_MOST = 1000, 50
Counts = dict[int, int]


class Everybody(Enum):
    """Why a sale's shoppers are never refused by lot; ADR 32 has the reasons at length."""

    LINE = "a line has an order that no lot may break, and a ticket is no unit yet"
    ITEMS = "who wants which of several items nobody knows before the press"


def why_everybody(*, items: int, has_line: bool) -> Everybody | None:
    """Return why a sale of so many items is not shed; None where it is."""
    if has_line:
        return Everybody.LINE
    return Everybody.ITEMS if items != 1 else None


def is_node(authorization: str) -> bool:
    """Whether a request carries the key of the edge."""
    wanted = f"Bearer {settings.EDGE_KEY}"
    return bool(settings.EDGE_KEY) and hmac.compare_digest(authorization.encode(), wanted.encode())


def read_report(body: bytes) -> tuple[str, Counts]:
    """Return a node's name and how many wait there for each sale; raises ValueError.

    The first line is the name, every other one `sale waiting pressed`.
    """
    name, *lines = body.decode("ascii").splitlines()
    if not 0 < len(name) <= 64 or len(lines) > SALES_AT_MOST:
        raise ValueError(name[:64])
    found = {}
    for line in lines:
        sale, waiting, _pressed = map(int, line.split(" "))
        found[sale] = max(0, waiting)
    return name, found


def hear(*, node: str, waiting: Counts) -> dict[int, float]:
    """Remember a node's counts and return its chances by sale; raises RedisError."""
    client = get_redis_connection("default")
    pipeline = client.pipeline(transaction=False)
    for sale, number in waiting.items():
        pipeline.hset(_reports(sale), node, f"{number} {time.time():.1f}")
        pipeline.expire(_reports(sale), REPORT_LIVES)
        pipeline.hget(_chances(sale), node)
    told = pipeline.execute()[2::3]
    return {sale: float(chance) for sale, chance in zip(waiting, told, strict=True) if chance is not None}


def work_out() -> None:
    """Work out the chances of every sale that runs or is about to; what cannot be known is not told."""
    soon = timezone.now() + timedelta(minutes=10)
    running = Sale.objects.filter(state=Sale.State.SCHEDULED, opens_at__lt=soon, closes_at__gt=timezone.now())
    for sale in running.prefetch_related("items"):
        try:
            _work_out(sale.pk, [item.pk for item in sale.items.all()])
        except RedisError:
            continue  # the word of the last second ends by itself


def _work_out(sale: int, items: list[int]) -> None:
    client = get_redis_connection("default")
    fresh = _fresh(client.hgetall(_reports(sale)))
    if not fresh:
        return
    status = stock.run(stock.status(sale, items))
    if status is None:
        return
    told = {node.decode(): float(chance) for node, chance in client.hgetall(_chances(sale)).items()}
    found = chances(status, fresh, told)
    pipeline = client.pipeline()
    pipeline.hset(_chances(sale), mapping={node: repr(chance) for node, chance in found.items()})
    pipeline.expire(_chances(sale), CHANCE_LIVES)
    pipeline.execute()


def _fresh(reports: Mapping[bytes, bytes]) -> dict[str, int]:
    oldest = time.time() - REPORT_LIVES
    pairs = [(node.decode(), text.split()) for node, text in list(reports.items())[:NODES_AT_MOST]]
    return {node: int(number) for node, (number, at) in pairs if float(at) > oldest}


def chances(status: Status, waiting: Mapping[str, int], before: Mapping[str, float]) -> dict[str, float]:
    """Return the chance of each node that has reported, `waiting` people by node.

    Once the sale has opened never less than `before`, so that nobody is refused who has been forwarded; until
    then it falls as the crowd gathers. Every node gets the same: what a shopper may hope for must not depend
    on where he stands.
    """
    if status.now < status.opens_at:
        before = {}
    last_call = status.closes_at - status.now < LAST_CALL.total_seconds() * 1000
    if last_call or why_everybody(items=len(status.items), has_line=status.queue is not None):
        return dict.fromkeys(waiting, 1.0)
    (item,) = status.items
    open_for = max(0.0, (status.now - status.opens_at) / 1000)
    crowd = math.floor(sum(waiting.values()) * PRESSING * 0.5 ** (open_for / HALVES_EVERY))
    units = status.items[item].free + status.standby_free(item)
    if units == 0:
        return {node: before.get(node, 1.0) for node in waiting}  # sold out is told by the flag
    found = chance(units, crowd)
    return {node: max(found, before.get(node, 0.0)) for node in waiting}


def chance(units: int, crowd: int) -> float:
    """Return the least chance with which fewer than `units` of `crowd` are forwarded once in a million sales.

    By Chernoff's bound for the lower tail, which is above the true probability: P(X < units) is at most
    exp(-crowd * D), D the divergence of (units - 1) / crowd from the chance.
    """
    if units <= 0 or crowd <= units:
        return 1.0
    share, wanted = (units - 1) / crowd, -math.log(RISK) / crowd
    low, high = share, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _divergence(share, middle) >= wanted else (middle, high)
    return high


def _divergence(share: float, chance: float) -> float:
    if chance >= 1:
        return math.inf
    above = (1 - share) * math.log((1 - share) / (1 - chance))
    return above + (share * math.log(share / chance) if share else 0.0)


def _reports(sale: int) -> str:
    return f"edge:{sale}:reports"


def _chances(sale: int) -> str:
    return f"edge:{sale}:chances"
