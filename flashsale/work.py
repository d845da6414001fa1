"""Proof of work at the entry to a sale: the browser searches a number while the shopper reads the page.

A challenge is ALTCHA's, signed, for one account and one sale, and stored nowhere. The number is drawn from 0
to `most`, which follows the crowd: each number costs a key derivation (PBKDF2), which a browser does about
as fast as a program. A solution is written into the cache only to count it once, and to count the crowd.
"""

import json
import logging
import secrets
import time
from enum import Enum

from altcha import Payload, create_challenge, verify_solution
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django_redis import get_redis_connection
from redis import RedisError

log = logging.getLogger(__name__)
ALGORITHM, ITERATIONS = "PBKDF2/SHA-256", 1000
FEWEST, MOST = 100, 3000
"""Numbers to search, half of them on average: a desktop does three in a millisecond, a phone about one."""
PER_NUMBER = 2
"""Entries a minute that add one number: the most is reached at about a hundred entries a second."""
LIFE = 600
"""Seconds in which a challenge can be solved and sent."""
LONGEST = 2000
"""Characters of a solution; the browser's has about 700."""


class Fault(Enum):
    """Why a solution does not count."""

    MISSING = "missing"
    OTHER = "other"
    ENDED = "ended"
    USED = "used"


def most_for(crowd: float) -> int:
    """Return up to which number a browser may have to search while so many enter a minute."""
    return min(MOST, FEWEST + int(crowd / PER_NUMBER))


def ask(*, user: int, sale: int, most: int) -> str:
    """Return a new challenge as JSON, as the page carries it; it begins to end now."""
    challenge = create_challenge(
        ALGORITHM,
        ITERATIONS,
        counter=secrets.randbelow(most + 1),
        expires_at=int(time.time()) + LIFE,
        data={"user": user, "sale": sale, "most": most},
        hmac_secret=_secret(),
    )
    return json.dumps(challenge.to_dict(), separators=(",", ":"))


def take(text: str, *, user: int, sale: int) -> Fault | None:
    """Use a solution up and return None; else why it does not count. Used or not, it says nothing else."""
    if not text:
        return Fault.MISSING
    payload = _read(text)
    if payload is None:
        return Fault.OTHER
    result = verify_solution(payload, _secret())
    if result.expired:
        return Fault.ENDED
    data = payload.challenge.parameters.data or {}
    if not result.verified or (data.get("user"), data.get("sale")) != (user, sale):
        return Fault.OTHER
    return None if _is_first(payload.challenge.signature or "", sale=sale) else Fault.USED


def crowd_of(sale: int) -> float:
    """Return how many solutions of a sale counted in the last minute, about; 0 without the cache."""
    minute, second = divmod(time.time(), 60)
    try:
        before, now = get_redis_connection("default").mget(_crowd(sale, minute - 1), _crowd(sale, minute))
    except RedisError:
        return 0
    return int(before or 0) * (1 - second / 60) + int(now or 0)


def _read(text: str) -> Payload | None:
    """Return what the browser sent; None if it is no solution at all."""
    try:
        return Payload.from_base64(text) if len(text) <= LONGEST else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _is_first(signature: str, *, sale: int) -> bool:
    """Whether nobody used this solution before; the first use is counted as one more of the crowd.

    Two posts of one solution meet here: the store sets the key for one of them. Without the cache everybody
    is the first, as at the limits: a solution is its own account's all the same, and ends.
    """
    client, now = get_redis_connection("default"), _crowd(sale, time.time() // 60)
    try:
        if not client.set(cache.make_key(f"work-{signature}"), 1, ex=LIFE, nx=True):
            return False
        client.pipeline(transaction=False).incr(now).expire(now, 120).execute()
    except RedisError:
        log.warning("A proof of work was not counted: the cache is away", exc_info=True)
    return True


def _crowd(sale: int, minute: float) -> str:
    return cache.make_key(f"work-crowd-{sale}-{int(minute)}")


def _secret() -> bytes:
    return salted_hmac("flashsale.work", "challenge", algorithm="sha256").digest()
