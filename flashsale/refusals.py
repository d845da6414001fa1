"""What the limits of a sale refused, and its checks at the entry: counts for the operators, by limit.

They stand in the memory of the sale beside the outcomes of attempts: all processes of web count together, a
look reads both at once, and both are gone together. Whoever is let in is not counted and costs nothing.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from flashsale import stock
from flashsale.models import Sale

KEYS = {"user": "account", "device": "browser", "ip": "network"}
"""The names under which what a limit counts by is told."""
LIMITS, CHECKS = ("account", "browser", "network", "attempts"), ("captcha", "question", "work")


def count(*, sale: Sale, limits: Sequence[str]) -> None:
    """Count a post that these limits (their keys) or checks refused; without any, nothing is done.

    A silent store misses it: nothing is decided by it.
    """
    if limits:
        with suppress(RedisError):
            stock.run(stock.refuse(sale.pk, [KEYS.get(one, one) for one in limits]))


def counted(*, outcomes: Mapping[str, int], refused: Mapping[str, int]) -> dict[str, int]:
    """Return how often each limit refused so far, and each check that did.

    The gate's limit is told from the outcomes of the attempts, which it counts already.
    """
    found = {**refused, "attempts": outcomes.get("slow_down", 0)}
    return {name: found.get(name, 0) for name in LIMITS + CHECKS if name in LIMITS or found.get(name)}


def words() -> dict[str, str]:
    """The limits and checks, as operators read them."""
    return {
        "account": _("Tries to enter, by account"),
        "browser": _("Tries to enter, by browser"),
        "network": _("Tries to enter, by network"),
        "attempts": _("Attempts a minute, at the gate"),
        "captcha": _("Other letters"),
        "question": _("Other answers to the question"),
        "work": _("Proof of work that did not count"),
    }
