"""Why a sale stands still, since when, and when the shop says more: kept with the sale, told to everybody.

The rows are the truth; the store holds the same as text, so that the gates and the live processes tell it
without asking PostgreSQL. That text has every language of the shop, for whoever reads it knows only one.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from flashsale.models import Pause, Sale
from flashsale.replies import Status

NEWS_WITHIN = timedelta(minutes=10)
"""After this the shop says more, where whoever pauses does not choose another time."""
LOOKS_WITHIN = timedelta(minutes=1)
"""After this every page has asked a silent store again, script or not."""


@dataclass(frozen=True, slots=True)
class Why:
    """What whoever pauses a sale says of it; all of it may be left out."""

    reason: str = ""
    words: str = ""
    news_at: datetime | None = None


NOTHING_SAID = Why()


@dataclass(frozen=True, slots=True)
class Told:
    """What a page says of a pause, in the reader's language; `why` may be empty, `since` unknown."""

    since: datetime | None
    why: str
    news_at: datetime | None

    @property
    def is_late(self) -> bool:
        """Whether the news that was announced is overdue."""
        return self.news_at is not None and self.news_at <= timezone.now()


def begin(*, sale_id: int, why: Why = NOTHING_SAID) -> None:
    """Write down that a sale is paused; a pause that goes on already keeps what was said of it."""
    now = timezone.now()
    news_at = why.news_at or now + NEWS_WITHIN
    row = Pause(sale_id=sale_id, since=now, reason=why.reason, words=why.words, news_at=news_at)
    # A worker and an operator may pause in the same moment: the second one finds the pause of the first.
    Pause.objects.bulk_create([row], ignore_conflicts=True)


def change(*, sale_id: int, why: Why) -> None:
    """Say something else of a pause that goes on."""
    begin(sale_id=sale_id)
    news_at = why.news_at or timezone.now() + NEWS_WITHIN
    open_one = Pause.objects.filter(sale=sale_id, ended_at=None)
    open_one.update(reason=why.reason, words=why.words, news_at=news_at)


def end(*, sale_id: int) -> None:
    """Write down that a sale goes on."""
    Pause.objects.filter(sale=sale_id, ended_at=None).update(ended_at=timezone.now())


def current(sale: Sale) -> Pause | None:
    """The pause that goes on, as the rows know it."""
    return Pause.objects.filter(sale=sale, ended_at=None).last() if sale.paused else None


def sentence(row: Pause) -> str:
    """Say the reason in the present language, and the operator's own words; empty where there is neither."""
    known = str(Pause.Reason(row.reason).label) if row.reason else ""
    return " ".join(part for part in (known, row.words) if part)


def notice(sale: Sale) -> str:
    """Return what the store keeps of the pause: `{since, news_at, why: {language: sentence} | null}` as JSON.

    Times in ms; empty where the sale is not paused or nothing is known.
    """
    row = current(sale)
    if row is None:
        return ""
    why = {language: _in(language, row) for language, _name in settings.LANGUAGES}
    times = {"since": _ms(row.since), "news_at": _ms(row.news_at)}
    return json.dumps(times | {"why": why if any(why.values()) else None})


def _in(language: str, row: Pause) -> str:
    with override(language):
        return sentence(row)


def told(*, sale: Sale, status: Status | None) -> Told:
    """Return what a page says of the pause of a sale: by the store, or by the rows if it does not answer."""
    if status is not None:
        found = json.loads(status.notice) if status.notice else {"since": None, "news_at": None, "why": None}
        why = (found["why"] or {}).get(get_language(), "")
        return Told(_instant(found["since"]), why, _instant(found["news_at"]))
    row = current(sale)
    if row is not None:
        return Told(row.since, sentence(row), row.news_at)
    if sale.paused:
        return Told(None, "", None)
    silent = _("The memory of the sale does not answer. Everything that was reserved is kept.")
    return Told(None, silent, timezone.now() + LOOKS_WITHIN)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _instant(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)
