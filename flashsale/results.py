"""Personal results: what the workers have recorded, told to the live processes over one channel.

Publishing is the quick way and nothing depends on it: whoever was not connected hears what he has on his next
connection, and a page that hears nothing asks the shop. So a silent store never stops a worker.
"""

import json
import logging
from collections.abc import Sequence
from typing import NamedTuple

from django_redis import get_redis_connection
from redis.exceptions import RedisError

from flashsale import stock

logger = logging.getLogger(__name__)


class Result(NamedTuple):
    """News for one shopper.

    `kind` is ready (the order is recorded), standby, promoted, paid, expired, given_back, displaced, refused
    (a promotion that the rules forbade), left or over (standby has ended); the live process adds moved.
    `pay_by` in ms, 0 where nothing is to be paid; `number` is that of the standby place, 0 for none.
    """

    sale: int
    user: int
    kind: str
    item: int
    rid: str = ""
    pay_by: int = 0
    number: int = 0


def tell(results: Sequence[Result]) -> None:
    """Publish results as one message; call it after the commit. Never raises."""
    if not results:
        return
    try:
        get_redis_connection("sale").publish(stock.RESULTS, json.dumps(results, separators=(",", ":")))
    except (RedisError, OSError) as error:
        logger.warning("%d results were not told: %s", len(results), type(error).__name__)


def read(message: bytes) -> list[Result]:
    """Read a published batch."""
    return [Result(*row) for row in json.loads(message)]
