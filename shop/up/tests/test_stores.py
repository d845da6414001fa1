"""Our own stores, started for this suite or by it."""

import redis
from django.conf import settings


def test_the_sales_memory_is_on_disk_before_it_answers() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        found = client.config_get("append*")
    assert found["appendonly"] == "yes"
    assert found["appendfsync"] == "always"
