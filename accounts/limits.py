"""How often somebody may try: the one limiter of login, sign-up, reset, captcha and the entry to a sale.

Counted in the cache by django-ratelimit in fixed windows: up to twice the rate may pass at a window's edge.
Without the cache everybody passes: a shop whose login closes with its cache is worse than one that counts
late. What must never be exceeded (attempts at the gate, units per shopper) is counted where it is decided.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache, wraps
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Concatenate, NamedTuple, ParamSpec

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django_ratelimit import core
from django_ratelimit.core import get_usage
from django_redis import get_redis_connection
from prometheus_client import Counter
from redis import RedisError

from accounts import devices
from shop.metrics import registry

log = logging.getLogger(__name__)
P = ParamSpec("P")
Key = str | Callable[[str, HttpRequest], str]
Name = Callable[[HttpRequest], str]
REFUSED = Counter("shop_limited", "Requests that were one too many, by limit.", ["limit"], registry=registry)
LOCAL = "127.0.0.1"


class Limit(NamedTuple):
    """So many posts in a fixed window; `key` is "user", "device" or "ip", `rate` such as "10/5m"."""

    group: str
    key: str
    rate: str


class Tries(NamedTuple):
    """What is left after a request was counted: tries (negative: it is one too many), and until when (s).

    `refused_by` are the keys ("user", "device", "ip") of the limits for which it is one too many.
    """

    left: int
    seconds: int
    refused_by: tuple[str, ...] = ()


@lru_cache(maxsize=1024)  # a proxy in front is everybody's peer
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def client_address(request: HttpRequest) -> str:
    """Return the address the request came from, as text.

    `CLIENT_ADDRESS_HEADER` is believed only where the peer is one of `TRUSTED_PROXIES`; of several addresses
    the last one that is not a trusted proxy itself counts: everything before it was written by the client.
    A peer without an address is a Unix socket of this machine.
    """
    address = _parsed(request.META.get("REMOTE_ADDR") or LOCAL) or ip_address(LOCAL)
    if not settings.CLIENT_ADDRESS_HEADER or not _is_trusted(address):
        return str(address)
    for hop in reversed(request.headers.get(settings.CLIENT_ADDRESS_HEADER, "").split(",")):
        parsed = _parsed(hop)
        if parsed is None:
            break
        address = parsed
        if not _is_trusted(parsed):
            break
    return str(address)


def too_many(request: HttpRequest, *, seconds: int) -> HttpResponse:
    """Answer 429 with `Retry-After` and a page that names the time; `seconds` is at least 1."""
    seconds = max(1, seconds)
    context = {"retry_after": seconds, "retry_at": timezone.now() + timedelta(seconds=seconds)}
    response = render(request, "429.html", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def seconds_to_wait(
    request: HttpRequest,
    *,
    group: str,
    key: Key,
    rate: str,
    methods: Sequence[str] = ("POST",),
    told_as: Name | None = None,
) -> int:
    """Count this request and return 0 if it may pass, else the seconds to the end of the window.

    `key` is "ip", "user_or_ip" or a function of (group, request); `rate` is such as "10/5m". In the figures a
    refusal bears the name of the group, or what `told_as` makes of the request.
    """
    usage: dict[str, int] | None = get_usage(
        request, group=group, key=key, rate=rate, method=list(methods), increment=True
    )
    if usage is None or not usage["should_limit"]:
        return 0
    REFUSED.labels(told_as(request) if told_as else group).inc()
    return max(1, usage["time_left"])


def begin_at_nought(*limits: Limit) -> None:
    """Tell the counts of these limits before they have refused anybody: Prometheus sees only what grows."""
    for limit in limits:
        REFUSED.labels(limit.group)


def count(request: HttpRequest, *limits: Limit) -> Tries:
    """Count this post under all the limits in one round trip; return the one that leaves fewest tries.

    Windows and keys are the library's. Without the cache nothing is counted and every try is left.
    """
    counters = [_Counter.of(request, limit) for limit in limits]
    try:
        numbers = _counted(counters)
    except RedisError:
        log.warning("A post was not counted: the cache is away", exc_info=True)
        numbers = [0] * len(counters)
    passed = [
        limit
        for limit, counter, number in zip(limits, counters, numbers, strict=True)
        if number > counter.most
    ]
    for limit in passed:
        REFUSED.labels(limit.group).inc()
    now, refused_by = int(time.time()), tuple(limit.key for limit in passed)
    return min(
        Tries(counter.most - number, max(1, counter.end - now), refused_by)
        for counter, number in zip(counters, numbers, strict=True)
    )


class _Counter(NamedTuple):
    """One window of a limit: its key, the life of the key (s), its end (s since 1970), the most it lets."""

    key: str
    life: int
    end: int
    most: int

    @classmethod
    def of(cls, request: HttpRequest, limit: Limit) -> "_Counter":
        most, period = core._split_rate(limit.rate)
        value = KEYS[limit.key](request)
        end = core._get_window(value, period)
        key = cache.make_key(core._make_cache_key(limit.group, end, limit.rate, value, ["POST"]))
        return cls(key, period + core.EXPIRATION_FUDGE, end, most)


def _device(request: HttpRequest) -> str:
    """Return the browser's mark; whoever brings none shares one device with all such of his network.

    So nobody gains by throwing the cookie away. A login has given one to every browser that keeps cookies.
    """
    return devices.mark(request) or str(core._SIMPLE_KEYS["ip"](request))


KEYS = core._SIMPLE_KEYS | {"device": _device}


def _counted(counters: Sequence[_Counter]) -> list[int]:
    """Count each one up; one round trip for whoever tries for the first time, two for the others."""
    client = get_redis_connection("default")
    begin, more = client.pipeline(transaction=False), client.pipeline(transaction=False)
    for counter in counters:
        begin.set(counter.key, 1, ex=counter.life, nx=True)
    begun = begin.execute()
    for counter, is_new in zip(counters, begun, strict=True):
        if not is_new:
            more.incr(counter.key)
    grown = iter(more.execute() if not all(begun) else ())
    return [1 if is_new else next(grown) for is_new in begun]


def limited(
    *, group: str, key: Key, rate: str, methods: Sequence[str] = ("POST",), told_as: Name | None = None
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Limit a function view; past the rate it answers 429 with `Retry-After` and the view is not called."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def limited_view(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            wait = seconds_to_wait(request, group=group, key=key, rate=rate, methods=methods, told_as=told_as)
            return too_many(request, seconds=wait) if wait else view(request, *args, **kwargs)

        return limited_view

    return decorate
