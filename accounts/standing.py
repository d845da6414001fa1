"""Who may enter sales: shoppers are blocked and unblocked here. A blocked one still logs in and shops."""

from django.db.models import QuerySet

from accounts.models import User


def block(*, users: QuerySet[User]) -> int:
    """Block these shoppers; return how many were not blocked before."""
    return _set(users, User.Standing.BLOCKED)


def unblock(*, users: QuerySet[User]) -> int:
    """Unblock these shoppers; return how many were blocked before."""
    return _set(users, User.Standing.OK)


def _set(users: QuerySet[User], standing: User.Standing) -> int:
    chosen = User.objects.filter(pk__in=users.values("pk")).exclude(standing=standing)
    return chosen.update(standing=standing)
