"""Passes and receipts: short signed texts that the gate can verify without asking anybody.

A pass, `p.<key>.<sale>.<user>.<expiry>.<mac>`, is the right to attempt; `o.` instead of `p.`, an operator's,
is the right to watch a sale's figures and nothing else; a receipt,
`r.<key>.<sale>.<rid>.<user>.<pay_by>.<mac>`, is the shopper's proof that a unit is his. The first letter
is the purpose and is signed too, so that the one never serves as the other. The mac is HMAC-SHA-256
(RFC 2104) over everything before it; `settings.PASS_KEYS` lists the living keys, the first one signs.
"""

import hashlib
from binascii import hexlify
from collections.abc import Callable, Sequence
from functools import cache
from hmac import compare_digest
from typing import NamedTuple

ATTEMPT, WATCH = b"p", b"o"
MAC_BYTES = 24
"""Of the 32 that SHA-256 gives: 192 bits."""


class PassError(Exception):
    """The text is not a pass for this sale now; the reason is for metrics, never for the shopper."""


class Receipt(NamedTuple):
    """What a shopper was told; `pay_by` in ms since 1970."""

    sale: int
    rid: str
    user: int
    pay_by: int


class Signer:
    """Signs with the first key and verifies with any, so that a key can be rotated in mid-sale."""

    def __init__(self, keys: Sequence[str]) -> None:
        derived = [hashlib.sha256(b"flashsale:" + key.encode()).digest() for key in keys]
        macs = [(_name(key), _mac(key)) for key in derived]
        self._macs = dict(macs)
        self._name, self._mac = macs[0]

    def issue(self, *, sale: int, user: int, expires_at: int, purpose: bytes = ATTEMPT) -> str:
        """Return a pass; `expires_at` in seconds since 1970."""
        return self._sign(b"%b.%b.%d.%d.%d" % (purpose, self._name, sale, user, expires_at))

    def receipt(self, *, sale: int, rid: str, user: int, pay_by: int) -> str:
        """Return the receipt of a reservation; `pay_by` in ms since 1970."""
        return self._sign(b"r.%b.%d.%b.%d.%d" % (self._name, sale, rid.encode(), user, pay_by))

    def verify(self, token: bytes, *, sale: int, now: float, purpose: bytes = ATTEMPT) -> int:
        """Return whose pass this is; raises PassError: malformed, forged, expired, of another sale."""
        parts = token.split(b".")
        if len(parts) != 6 or parts[0] != purpose:
            raise PassError("malformed")
        _, key, of_sale, user, expires_at, mac = parts
        mac_of = self._macs.get(key)
        if mac_of is None or not compare_digest(mac_of(token[: -1 - len(mac)]), mac):
            raise PassError("forged")
        if int(of_sale) != sale:
            raise PassError("other sale")
        if int(expires_at) <= now:
            raise PassError("expired")
        return int(user)

    def verify_receipt(self, token: bytes) -> "Receipt":
        """Read a receipt; raises PassError: malformed, forged."""
        body, _, mac = token.rpartition(b".")
        parts = body.split(b".")
        if len(parts) != 6 or parts[0] != b"r":
            raise PassError("malformed")
        _, key, sale, rid, user, pay_by = parts
        mac_of = self._macs.get(key)
        if mac_of is None or not compare_digest(mac_of(body), mac):
            raise PassError("forged")
        return Receipt(int(sale), rid.decode(), int(user), int(pay_by))

    def _sign(self, body: bytes) -> str:
        return (body + b"." + self._mac(body)).decode()


@cache
def signer_of(keys: tuple[str, ...]) -> Signer:
    """Return the signer of these keys; both hashes of each are begun once a process."""
    return Signer(keys)


def _name(key: bytes) -> bytes:
    return hashlib.sha256(key).hexdigest()[:6].encode()


def _mac(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SHA-256 (RFC 2104), its first 192 bits in hexadecimal, with both hashes begun once a key.

    The standard library's object starts its OpenSSL context anew for each text, which takes twice as long.
    """
    padded = key.ljust(64, b"\0")
    begun_inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)).copy
    begun_outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy

    def mac(body: bytes) -> bytes:
        inner, outer = begun_inner(), begun_outer()
        inner.update(body)
        outer.update(inner.digest())
        return hexlify(outer.digest()[:MAC_BYTES])

    return mac
