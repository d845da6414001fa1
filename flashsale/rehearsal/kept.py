"""Rehearsals that somebody asked for in the admin: played once by a worker, their outcome kept as a row."""

from datetime import timedelta

from django.core.cache import cache
from django.db.models.functions import Now
from django.utils import timezone
from redis.exceptions import RedisError

from flashsale.errors import SaleError
from flashsale.models import Rehearsal, Sale
from flashsale.rehearsal import playing
from flashsale.rehearsal.playing import Cast

DEAD_AFTER = timedelta(minutes=15)


def _key(row: Rehearsal) -> str:
    return f"cockpit:rehearsal:{row.pk}"


def running_of(sale: Sale) -> Rehearsal | None:
    """Return the rehearsal that runs; one whose worker died is not waited for."""
    alive = Rehearsal.objects.filter(sale=sale, ended_at=None, started_at__gt=timezone.now() - DEAD_AFTER)
    return alive.first()


def everybody(row: Rehearsal) -> int:
    """How many come: shoppers, and the accounts of a farm."""
    return int(row.cast["shoppers"] + row.cast.get("farm", 0))


def progress(row: Rehearsal) -> int:
    """How many of them are done."""
    return int(cache.get(_key(row)) or 0)


def play(rehearsal_id: int) -> None:
    """Play a rehearsal that was asked for, once: a second worker finds it begun."""
    row = Rehearsal.objects.select_related("sale").get(pk=rehearsal_id)
    if row.ended_at is not None or not cache.add(f"{_key(row)}:begun", 1, DEAD_AFTER.total_seconds()):
        return
    total = everybody(row)

    def tell(done: int, _all: int) -> None:
        if (
            done % max(1, total // 100) == 0
        ):  # in the cache: an event loop runs here, and rows are not written
            cache.set(_key(row), done, DEAD_AFTER.total_seconds())

    try:
        seen = playing.rehearse(sale=row.sale, cast=Cast(**row.cast), gate=playing.own_gate(), tell=tell)
    except (SaleError, RedisError) as error:
        Rehearsal.objects.filter(pk=row.pk).update(error=str(error)[:300], ended_at=Now())
        return
    Rehearsal.objects.filter(pk=row.pk).update(outcome=seen.document(), done=total, ended_at=Now())
