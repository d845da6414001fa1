"""Who may enter sales: shoppers are blocked and unblocked here. A blocked one still logs in and shops."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User

_listeners: list[Callable[[], object]] = []


def on_change(listener: Callable[[], object]) -> None:
    """Call `listener` after each commit that blocks or unblocks; named once by an app's `ready`."""
    _listeners.append(listener)


def refused() -> QuerySet[User]:
    """Return everybody who may not enter any sale: blocked, or his account is closed."""
    return User.objects.filter(Q(standing=User.Standing.BLOCKED) | Q(is_active=False))


def block(*, users: QuerySet[User]) -> int:
    """Block these shoppers; return how many were not blocked before."""
    return _set(users, User.Standing.BLOCKED)


def unblock(*, users: QuerySet[User]) -> int:
    """Unblock these shoppers; return how many were blocked before."""
    return _set(users, User.Standing.OK)


def _set(users: QuerySet[User], standing: User.Standing) -> int:
    chosen = User.objects.filter(pk__in=users.values("pk")).exclude(standing=standing)
    changed = chosen.update(standing=standing)
    for listener in _listeners:
        transaction.on_commit(listener, robust=True)
    return changed
