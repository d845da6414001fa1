"""Who looks at the live pages, and in which language: in the cache, for a while after each look."""

import time

from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.models import User

SECONDS = 45.0
"""A page that is told everything by itself still shows itself every twenty seconds (`cockpit.js`)."""
WATCHED = "cockpit:watched"


def seen(*, sale_id: int, user: User, language: str) -> None:
    """Note that somebody looks at a sale. Without the cache nothing is noted."""
    now, key = time.time(), _key(sale_id)
    try:
        pipeline = get_redis_connection("default").pipeline(transaction=True)
        pipeline.zadd(key, {user.email: now})
        pipeline.expire(key, int(SECONDS) * 2)
        pipeline.zadd(WATCHED, {f"{sale_id} {language}": now})
        pipeline.execute()
    except RedisError:
        return


def names(sale_id: int) -> list[str]:
    """Return who looks at a sale, by e-mail address. Without the cache: nobody."""
    return sorted(_fresh(_key(sale_id)))


def watched() -> list[tuple[int, str]]:
    """Return the sales that somebody looks at, each with a language. Without the cache: none."""
    pairs = (text.split(" ") for text in sorted(_fresh(WATCHED)))
    return [(int(sale_id), language) for sale_id, language in pairs]


def _key(sale_id: int) -> str:
    return f"cockpit:{sale_id}:watching"


def _fresh(key: str) -> list[str]:
    try:
        pipeline = get_redis_connection("default").pipeline(transaction=True)
        pipeline.zremrangebyscore(key, 0, time.time() - SECONDS)
        pipeline.zrange(key, 0, -1)
        return [member.decode() for member in pipeline.execute()[1]]
    except RedisError:
        return []
