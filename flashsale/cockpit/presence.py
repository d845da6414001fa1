"""Who else looks at a sale's live page: in the cache, for some seconds after each look."""

import time

from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.models import User

SECONDS = 10.0


def seen(*, sale_id: int, user: User) -> list[str]:
    """Note that somebody looks; return who else does, by e-mail address. Without the cache: nobody."""
    now, key = time.time(), f"cockpit:{sale_id}:watching"
    try:
        pipeline = get_redis_connection("default").pipeline(transaction=True)
        pipeline.zadd(key, {user.email: now})
        pipeline.zremrangebyscore(key, 0, now - SECONDS)
        pipeline.zrange(key, 0, -1)
        pipeline.expire(key, int(SECONDS) * 2)
        names = pipeline.execute()[2]
    except RedisError:
        return []
    return sorted(name.decode() for name in names if name.decode() != user.email)
