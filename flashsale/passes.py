"""Passes and receipts: short signed texts that the gate can verify without asking anybody.

A pass, `p.<key>.<sale>.<user>.<expiry>.<mac>`, is the right to attempt; a receipt,
`r.<key>.<sale>.<rid>.<user>.<pay_by>.<mac>`, is the shopper's proof that a unit is his. The first letter
is the purpose and is signed too, so that the one never serves as the other. The mac is HMAC-SHA-256
(RFC 2104) over everything before it; `settings.PASS_KEYS` lists the living keys, the first one signs.
"""

import hashlib
import hmac
from binascii import hexlify
from collections.abc import Sequence

MAC_BYTES = 24
"""Of the 32 that SHA-256 gives: 192 bits."""


class PassError(Exception):
    """The text is not a pass for this sale now; the reason is for metrics, never for the shopper."""


class Signer:
    """Signs with the first key and verifies with any, so that a key can be rotated in mid-sale."""

    def __init__(self, keys: Sequence[str]) -> None:
        derived = [hashlib.sha256(b"flashsale:" + key.encode()).digest() for key in keys]
        # Keyed once and copied for each text: half the work of starting from the key every time.
        macs = [(_name(key), hmac.new(key, digestmod="sha256")) for key in derived]
        self._macs = dict(macs)
        self._name, self._mac = macs[0]

    def issue(self, *, sale: int, user: int, expires_at: int) -> str:
        """Return a pass; `expires_at` in seconds since 1970."""
        return self._sign(b"p.%b.%d.%d.%d" % (self._name, sale, user, expires_at))

    def receipt(self, *, sale: int, rid: str, user: int, pay_by: int) -> str:
        """Return the receipt of a reservation; `pay_by` in ms since 1970."""
        return self._sign(b"r.%b.%d.%b.%d.%d" % (self._name, sale, rid.encode(), user, pay_by))

    def verify(self, token: bytes, *, sale: int, now: float) -> int:
        """Return whose pass this is; raises PassError: malformed, forged, expired, of another sale."""
        body, _, mac = token.rpartition(b".")
        parts = body.split(b".")
        if len(parts) != 5 or parts[0] != b"p":
            raise PassError("malformed")
        keyed = self._macs.get(parts[1])
        if keyed is None or not hmac.compare_digest(_mac_of(body, keyed), mac):
            raise PassError("forged")
        if int(parts[2]) != sale:
            raise PassError("other sale")
        if int(parts[4]) <= now:
            raise PassError("expired")
        return int(parts[3])

    def _sign(self, body: bytes) -> str:
        return (body + b"." + _mac_of(body, self._mac)).decode()


def _name(key: bytes) -> bytes:
    return hashlib.sha256(key).hexdigest()[:6].encode()


def _mac_of(body: bytes, keyed: hmac.HMAC) -> bytes:
    mac = keyed.copy()
    mac.update(body)
    return hexlify(mac.digest()[:MAC_BYTES])
