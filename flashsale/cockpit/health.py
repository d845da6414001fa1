"""How each role and store is: ok, slow or down, and one number that says why."""

import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from flashsale.cockpit.scales import number
from flashsale.live.metrics import ROLE as LIVE
from flashsale.models import Sample
from shop import lately, processes
from shop.orders.models import OutboxMail

PROBE_SECONDS = 1.0
SLOW_MS = 100
SLOW_RECORDING_S, DOWN_RECORDING_S = 5, 30
SLOW_MAIL_S = 60
SLOW_WEB_S = 0.5
LIVE_WITHIN_S = 3 * processes.EVERY
NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Health:
    """One role: its state is ok, slow, down or unknown; `figure` is the number, with its unit."""

    role: str
    state: str
    figure: str

    @property
    def word(self) -> str:
        """The state, for people."""
        words = {"ok": _("ok"), "slow": _("slow"), "down": _("down"), "unknown": _("not known")}
        return words[self.state]


def look(sample: Sample | None) -> list[Health]:
    """Look at every role; `sample` is the latest look at the sale, from the store itself."""
    return [
        _web(),
        _timed(_("Gate"), _gate),
        _live(),
        _timed("Valkey", lambda: bool(get_redis_connection("sale").ping())),
        _timed("PostgreSQL", _postgres),
        _worker(sample),
        _mail(),
    ]


def _web() -> Health:
    """By what each process said last; the cockpit itself asks web, so that one of them is always heard."""
    role, found = _("Web"), lately.told()
    if not found or not sum(found[0]):
        return _unknown(role, is_away=found is None)
    counts, many = found
    p99 = lately.quantile(0.99, counts)
    values = {"count": number(many)}
    if p99 == math.inf:
        words = ngettext(
            "p99 above 10 s over the last minute, %(count)s process",
            "p99 above 10 s over the last minute, %(count)s processes",
            many,
        )
    else:
        words = ngettext(
            "p99 about %(ms)s ms over the last minute, %(count)s process",
            "p99 about %(ms)s ms over the last minute, %(count)s processes",
            many,
        )
        values["ms"] = number(p99 * 1000)
    return Health(role, "slow" if p99 > SLOW_WEB_S else "ok", words % values)


def _live() -> Health:
    """How many pages hear what happens; a process that is nearly full soon sends new ones away."""
    role, found = _("Live"), processes.told(LIVE, within=LIVE_WITHIN_S)
    if not found:
        return _unknown(role, is_away=found is None)
    words = ngettext(
        "open pages: %(pages)s on %(count)s process; %(most)s of %(limit)s on the fullest",
        "open pages: %(pages)s on %(count)s processes; %(most)s of %(limit)s on the fullest",
        len(found),
    )
    most, limit = max(found, key=lambda one: one[0] / max(1, one[1]))
    values = {
        "pages": sum(pages for pages, _limit in found),
        "count": len(found),
        "most": most,
        "limit": limit,
    }
    state = "slow" if most > NEARLY_FULL * limit else "ok"
    return Health(role, state, words % {name: number(value) for name, value in values.items()})


def _unknown(role: str, *, is_away: bool) -> Health:
    return Health(role, "unknown", _("the cache does not answer") if is_away else _("no process was heard"))


def _timed(role: str, ask: Callable[[], bool]) -> Health:
    began = time.perf_counter()
    try:
        ask()
    except (RedisError, DatabaseError, OSError):
        return Health(role, "down", _("no answer"))
    ms = (time.perf_counter() - began) * 1000
    return Health(role, "slow" if ms > SLOW_MS else "ok", _("%(ms).1f ms") % {"ms": ms})


def _gate() -> bool:
    # By the shop's own address, as a shopper reaches it; both are ours and named in the settings.
    with urllib.request.urlopen(f"{settings.SHOP_URL}/gate/healthz", timeout=PROBE_SECONDS) as answer:  # noqa: S310
        return bool(answer.status == 200)


def _postgres() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _worker(sample: Sample | None) -> Health:
    role = _("Worker")
    if sample is None:
        return Health(role, "down", _("unknown while the memory is silent"))
    seconds = sample.oldest_unrecorded / 1000 if sample.unrecorded else 0.0
    state = "down" if seconds > DOWN_RECORDING_S else "slow" if seconds > SLOW_RECORDING_S else "ok"
    figure = _("%(count)d not recorded yet, the oldest for %(seconds).0f s")
    words = (
        figure % {"count": sample.unrecorded, "seconds": seconds} if sample.unrecorded else _("all recorded")
    )
    return Health(role, state, words)


def _mail() -> Health:
    due = OutboxMail.objects.filter(status=OutboxMail.Status.PENDING)
    first = due.order_by("created_at").values_list("created_at", flat=True).first()
    if first is None:
        return Health(_("Mail"), "ok", _("nothing waits"))
    seconds = (timezone.now() - first).total_seconds()
    words = _("%(count)d wait, the oldest for %(seconds).0f s") % {"count": due.count(), "seconds": seconds}
    return Health(_("Mail"), "slow" if seconds > SLOW_MAIL_S else "ok", words)
