"""Challenges drawn ahead: whoever opens a form takes one from the cache; web draws only when none is left.

A challenge is a row, which is the truth of it, and a picture, which waits in the cache until the row is given
to a shopper. Taking is one command that removes what it returns, so no picture is shown to two of them.
"""

import base64
import logging
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple, cast

from captcha.models import CaptchaStore
from captcha.views import captcha_image
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django_redis import get_redis_connection
from redis import Redis, RedisError

log = logging.getLogger(__name__)
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # none that looks like a digit or like another one
LENGTH = 5
KEY_BYTES = 20
DRAWING_SECONDS = 2.0  # of one call of `top_up`; the worker has other work too


class Ready(NamedTuple):
    """A challenge and its picture: a PNG in base64."""

    hashkey: str
    picture: str


def random_letters() -> tuple[str, str]:
    """Return what is drawn and what is to be typed; the library draws both alike from predictable numbers."""
    text = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return text, text.lower()


def store(*, minutes: int) -> str:
    """Write a new challenge that ends after so many minutes; return its hashkey."""
    letters, answer = random_letters()
    row = CaptchaStore.objects.create(
        challenge=letters,
        response=answer,
        hashkey=secrets.token_hex(KEY_BYTES),
        expiration=timezone.now() + timedelta(minutes=minutes),
    )
    return str(row.hashkey)


def draw(hashkey: str) -> bytes:
    """Draw a challenge as a PNG, twice the size for sharp screens; Http404 if there is no such row."""
    return bytes(captcha_image(HttpRequest(), hashkey, scale=2).content)


def take() -> Ready | None:
    """Remove the oldest challenge from the pool and return it; None if the pool or the cache is empty."""
    try:
        found = cast("list[tuple[bytes, float]]", _client().zpopmin(_name()))
    except RedisError:
        return None
    member, good_until = found[0] if found else (b"", 0.0)
    return _read(member) if good_until > time.time() else None


def top_up(*, size: int, seconds: float = DRAWING_SECONDS) -> int:
    """Draw until the pool has `size` challenges or `seconds` are over; return how many were drawn."""
    client, name, end = _client(), _name(), time.monotonic() + seconds
    client.zremrangebyscore(name, "-inf", time.time())
    if not _is_of_this_database(client, name):
        log.warning("The challenges in the cache are of another database: they are drawn anew")
        client.delete(name)
    missing = size - client.zcard(name)
    drawn = 0
    for ready, good_until in _drawn(missing):
        client.zadd(name, {f"{ready.hashkey}{ready.picture}": good_until})
        drawn += 1
        if time.monotonic() > end:
            break
    return drawn


def _drawn(number: int) -> Iterator[tuple[Ready, float]]:
    """Draw challenges, each with the time until which it may be handed out: a full timeout is left then."""
    for _ in range(number):
        hashkey = store(minutes=2 * settings.CAPTCHA_TIMEOUT)
        picture = base64.b64encode(draw(hashkey)).decode()
        yield Ready(hashkey, picture), time.time() + settings.CAPTCHA_TIMEOUT * 60


def _is_of_this_database(client: Redis, name: str) -> bool:
    """Whether the ends of the pool have rows: a database set back leaves pictures that nobody can solve."""
    members = cast("list[bytes]", [*client.zrange(name, 0, 0), *client.zrange(name, -1, -1)])
    ends = {_read(member).hashkey for member in members}
    return int(CaptchaStore.objects.filter(hashkey__in=ends).count()) == len(ends)


def _read(member: bytes) -> Ready:
    text = member.decode()
    return Ready(text[: 2 * KEY_BYTES], text[2 * KEY_BYTES :])


def _client() -> Redis:
    client: Redis = get_redis_connection("default")
    return client


def _name() -> str:
    return str(cache.make_key(f"captcha pool {settings.DATABASES['default']['NAME']}"))
