"""A shopper's addresses: at most one of them is the default, and while there is any, exactly one."""

from typing import TypedDict

from django.db import transaction

from accounts.models import Address, User


class AddressParts(TypedDict):
    """What somebody writes on a parcel; `country` is a two-letter code."""

    full_name: str
    country: str
    line1: str
    line2: str
    postcode: str
    city: str


def _lock(user: User) -> None:
    # Two tabs of one shopper meet here: whoever comes second sees which address the first made the default.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _make_default(address: Address) -> None:
    # The old one gives way first: the constraint allows one default at any moment.
    Address.objects.filter(user_id=address.user_id, is_default=True).update(is_default=False)
    Address.objects.filter(pk=address.pk).update(is_default=True)
    address.is_default = True


def add(*, user: User, parts: AddressParts, make_default: bool = False) -> Address:
    """Store an address; the first one becomes the default whatever was asked."""
    with transaction.atomic():
        _lock(user)
        address = Address.objects.create(user=user, **parts)
        if make_default or not Address.objects.filter(user=user, is_default=True).exists():
            _make_default(address)
    return address


def change(*, address: Address, parts: AddressParts, make_default: bool = False) -> Address:
    """Store other parts; the default stays the default until another address is made it."""
    with transaction.atomic():
        _lock(address.user)
        Address.objects.filter(pk=address.pk).update(**parts)
        if make_default:
            _make_default(address)
    address.refresh_from_db()
    return address


def remove(*, address: Address) -> None:
    """Delete an address; the oldest of the others inherits being the default. Orders keep their own copy."""
    user = address.user
    with transaction.atomic():
        _lock(user)
        Address.objects.filter(pk=address.pk).delete()
        others = Address.objects.filter(user=user)
        heir = others.order_by("pk").first()
        if heir is not None and not others.filter(is_default=True).exists():
            _make_default(heir)
