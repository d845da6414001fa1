"""Who may enter a sale. A refusal names one reason, the person's own fact, and when it changes."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import standing
from accounts.models import User
from flashsale.models import Sale, WhitelistEntry
from flashsale.words import moment

# As SQL: composing it anew would cost the way into a sale more than the database's answer does.
LISTS = """
    EXISTS (SELECT FROM account_emailaddress
            WHERE user_id = shopper.id AND verified AND upper(email) = upper(shopper.email)),
    EXISTS (SELECT FROM flashsale_whitelistentry
            WHERE sale_id = %(sale)s AND email = lower(shopper.email))
"""
LOOKED_UP = f"SELECT {LISTS} FROM accounts_user shopper WHERE shopper.id = %(user)s"  # noqa: S608 - constants


class Code(StrEnum):
    """What support looks up; never reused."""

    NOT_LOGGED_IN = "F-10"
    NOT_VERIFIED = "F-11"
    TOO_YOUNG = "F-12"
    LEVEL = "F-13"
    NOT_LISTED = "F-14"
    CLOSED = "F-15"
    BLOCKED = "F-17"


class Lists(NamedTuple):
    """What is not in a shopper's own row: whether his address is confirmed, and on the sale's list."""

    verified: bool
    listed: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not enter; `changes_at` is when this reason ends by itself, if it does."""

    code: Code
    sentence: str
    changes_at: datetime | None = None


def why_not(
    *, user: User | AnonymousUser, sale: Sale, now: datetime, lists: Lists | None = None
) -> Refusal | None:
    """Return the first reason why `user` may not enter at `now`, None if he may.

    Asks at most one query, and none where it is told what the `lists` say.
    """
    if not isinstance(user, User):
        return Refusal(Code.NOT_LOGGED_IN, _("Log in to enter. You come back here afterwards."))
    return _closed(user) or _by_rules(user, sale, now, lists or _look_up(user, sale))


def refused(*, users: Collection[int], sale: Sale, now: datetime) -> dict[int, Code]:
    """Return which of these may not have a unit of `sale` at `now`, and why not. One query."""
    mails = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True, email__iexact=OuterRef("email"))
    listed = WhitelistEntry.objects.filter(sale=sale, email=Lower(OuterRef("email")))
    rows = User.objects.filter(pk__in=users).annotate(is_verified=Exists(mails), is_listed=Exists(listed))
    found = {
        user.pk: _closed(user) or _by_rules(user, sale, now, Lists(user.is_verified, user.is_listed))
        for user in rows
    }
    return {pk: refusal.code for pk, refusal in found.items() if refusal is not None}


def blocked(*, users: Collection[int]) -> dict[int, Code]:
    """Return which of these may not enter any sale any more. One query."""
    rows = standing.refused().filter(pk__in=users).values_list("pk", "is_active")
    return {pk: Code.BLOCKED if is_active else Code.CLOSED for pk, is_active in rows}


def _closed(user: User) -> Refusal | None:
    if not user.is_active:
        return Refusal(Code.CLOSED, _("This account is closed."))
    if user.standing == User.Standing.BLOCKED:
        return Refusal(Code.BLOCKED, _("We could not let this account in. Support can look the reason up."))
    return None


def _by_rules(user: User, sale: Sale, now: datetime, lists: Lists) -> Refusal | None:
    """Judge by the account, from which the list may excuse, and then by what is not in its row."""
    is_excused = sale.list_excuses and lists.listed
    refusal = None if is_excused else _too_young(user, sale, now) or _level_too_low(user, sale)
    if refusal is None:
        return _by_lists(user, sale, lists)
    if sale.list_excuses:
        excuse = _("The people on its list may enter all the same; %(email)s is not on it.")
        return replace(refusal, sentence=f"{refusal.sentence} {excuse % {'email': user.email}}")
    return refusal


def _too_young(user: User, sale: Sale, now: datetime) -> Refusal | None:
    old_enough_at = user.date_joined + timedelta(days=sale.min_account_days)
    if now >= old_enough_at:
        return None
    sentence = ngettext(
        "This sale is for accounts older than %(days)d day. Yours is of %(joined)s and may enter %(then)s.",
        "This sale is for accounts older than %(days)d days. Yours is of %(joined)s and may enter %(then)s.",
        sale.min_account_days,
    ) % {
        "days": sale.min_account_days,
        "joined": moment(user.date_joined),
        "then": moment(old_enough_at),
    }
    return Refusal(Code.TOO_YOUNG, sentence, old_enough_at)


def _level_too_low(user: User, sale: Sale) -> Refusal | None:
    if user.level >= sale.min_level:
        return None
    sentence = _("This sale is for shoppers of level %(needed)d or higher. Your level is %(level)d.")
    return Refusal(Code.LEVEL, sentence % {"needed": sale.min_level, "level": user.level})


def _look_up(user: User, sale: Sale) -> Lists:
    """Ask the lists, in one query, where they matter."""
    if not (_needs_verified() or sale.whitelist_only or sale.list_excuses):
        return Lists(verified=True, listed=True)
    with connection.cursor() as cursor:
        cursor.execute(LOOKED_UP, {"user": user.pk, "sale": sale.pk})
        row = cursor.fetchone()
    return Lists(*row) if row else Lists(verified=False, listed=False)


def _needs_verified() -> bool:
    return bool(settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory")


def _by_lists(user: User, sale: Sale, lists: Lists) -> Refusal | None:
    if _needs_verified() and not lists.verified:
        sentence = _(
            "Confirm your e-mail address %(email)s first: follow the link in the mail that we sent you."
        )
        return Refusal(Code.NOT_VERIFIED, sentence % {"email": user.email})
    if sale.whitelist_only and not lists.listed:
        sentence = _("This sale is for the people on its list. %(email)s is not on it.")
        return Refusal(Code.NOT_LISTED, sentence % {"email": user.email})
    return None
