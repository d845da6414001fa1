"""Mails that people ask for before something happens: each wish is one mail, and every address may say no.

Anybody can type anybody's address. So a mail of this kind tells how to stop all of them, and the shop then
writes none to that address until whoever owns it asks again, logged in.
"""

from collections.abc import Iterable
from hashlib import sha256

from django.core import signing
from django.urls import reverse

from shop.orders import outbox
from shop.orders.models import NoMail
from shop.orders.outbox import Letter

SALT = "shop.orders.wishes"


def put_all(letters: Iterable[Letter]) -> None:
    """Write these mails into the outbox, in the caller's transaction, but for those who want none."""
    wanted = list(letters)
    stopped = set(
        NoMail.objects.filter(email__in=[letter.to for letter in wanted]).values_list("email", flat=True)
    )
    outbox.put_all(letter for letter in wanted if letter.to not in stopped)


def ref(what: str, email: str) -> str:
    """Return what names one wish of one address: its mail leaves once, however often it is asked for."""
    return f"{what}-{sha256(email.encode()).hexdigest()[:20]}"


def stop_path(email: str) -> str:
    """Return the address of the page on which this address stops such mails."""
    return reverse("no-mail", args=[signing.dumps(email, salt=SALT)])


def email_of(signed: str) -> str:
    """Return the address in a link; raises django.core.signing.BadSignature for a link of somebody else."""
    return str(signing.loads(signed, salt=SALT))


def stop(*, email: str) -> None:
    """Write no such mail to this address any more; twice is as good as once."""
    NoMail.objects.get_or_create(email=email)


def allow(*, email: str) -> None:
    """Write to this address again: its owner, who is logged in, has asked."""
    NoMail.objects.filter(email=email).delete()
