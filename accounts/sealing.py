"""Secrets that are kept in rows, sealed with keys that are not: a copy of the database alone opens nothing.

`SEALING_KEYS`: the first key seals, every one of them opens, so that a key can be replaced.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SEALED = "gAAAA"
"""How everything sealed begins: a version and a time. No secret as an app shows it does (base32, or hex)."""


def seal(text: str) -> str:
    """Return what may stand in a row."""
    return _keys().encrypt(text.encode()).decode()


def unseal(text: str) -> str:
    """Return what was sealed; what never was is returned as it is.

    Raises ImproperlyConfigured where none of the keys opens it: a guess must not take the secret's place.
    """
    if not text.startswith(SEALED):
        return text
    try:
        return _keys().decrypt(text.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured("No key of SEALING_KEYS opens what stands in the rows.") from None


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in settings.SEALING_KEYS])


def _derived(key: str) -> bytes:
    """Make a key of its own of a text that may serve for other things, too."""
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sealed in a row")
    return base64.urlsafe_b64encode(kdf.derive(key.encode()))
