"""Redis decides from a Django view; the order follows in the same request.

DECR runs on the store without a file, as those who use it do; the script on the one that writes to disk.
A process that dies between the decision and the order leaves a unit that nobody has.
"""

from functools import cache

from django_redis import get_redis_connection

from bench.league.models import Order

KEY = "bench:stock"
SCRIPT = """
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 0 end
if tonumber(redis.call('GET', KEYS[1]) or 0) < 1 then return 0 end
redis.call('DECR', KEYS[1])
redis.call('SADD', KEYS[2], ARGV[1])
return 1
"""


def fill(units: int) -> None:
    """Set the stock in both stores."""
    for alias in ("default", "sale"):
        client = get_redis_connection(alias)
        client.delete(KEY, f"{KEY}:buyers")
        client.set(KEY, units)


def decrement(shopper: int) -> bool:
    """Count down; below zero there was nothing left."""
    if get_redis_connection("default").decr(KEY) < 0:
        return False
    Order.objects.create(item_id=1, shopper=shopper)
    return True


@cache
def _script() -> object:
    return get_redis_connection("sale").register_script(SCRIPT)


def script(shopper: int) -> bool:
    """One script a request: not twice to the same shopper, not below zero."""
    won = _script()(keys=[KEY, f"{KEY}:buyers"], args=[shopper])  # type: ignore[operator]
    if won:
        Order.objects.create(item_id=1, shopper=shopper)
    return bool(won)
