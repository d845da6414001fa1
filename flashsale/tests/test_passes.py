"""Passes and receipts."""

import hashlib
import hmac

import pytest

from flashsale.passes import PassError, Signer

NOW = 1_800_000_000


def test_the_signature_is_hmac_sha256_of_everything_before_it() -> None:
    body, _, mac = Signer(["a key"]).issue(sale=1, user=2, expires_at=3).rpartition(".")
    key = hashlib.sha256(b"flashsale:a key").digest()
    assert mac == hmac.new(key, body.encode(), "sha256").hexdigest()[:48]


def test_a_key_is_rotated_in_mid_sale() -> None:
    token = Signer(["old"]).issue(sale=1, user=2, expires_at=NOW + 60).encode()
    assert Signer(["new", "old"]).verify(token, sale=1, now=NOW) == 2
    with pytest.raises(PassError, match="forged"):
        Signer(["new"]).verify(token, sale=1, now=NOW)


@pytest.mark.parametrize("place", range(5))
def test_no_field_can_be_changed(place: int) -> None:
    body, _, mac = Signer(["a key"]).issue(sale=1, user=2, expires_at=NOW + 60).rpartition(".")
    fields = body.split(".")
    fields[place] += "0"
    with pytest.raises(PassError):
        Signer(["a key"]).verify(f"{'.'.join(fields)}.{mac}".encode(), sale=1, now=NOW)


@pytest.mark.parametrize(
    "token", [b"", b".", b"p.1.2.3.4", b"p.......", b"\xff.\xfe", b"p.a.1.2.3." + b"f" * 9999]
)
def test_rubbish_is_refused(token: bytes) -> None:
    with pytest.raises(PassError):
        Signer(["a key"]).verify(token, sale=1, now=NOW)


def test_it_ends_at_its_expiry() -> None:
    token = Signer(["a key"]).issue(sale=1, user=2, expires_at=NOW).encode()
    assert Signer(["a key"]).verify(token, sale=1, now=NOW - 1) == 2
    with pytest.raises(PassError, match="expired"):
        Signer(["a key"]).verify(token, sale=1, now=NOW)
