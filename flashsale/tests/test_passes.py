"""Passes and receipts."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale import passes
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


GOOD = Signer(["a key"]).issue(sale=7, user=2, expires_at=NOW + 60).encode()


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_of_it_can_be_changed(place: int, change: int) -> None:
    forged = bytearray(GOOD)
    forged[place] ^= change
    with pytest.raises(PassError):
        Signer(["a key"]).verify(bytes(forged), sale=7, now=NOW)


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_no_part_of_it_is_a_pass(length: int) -> None:
    with pytest.raises(PassError):
        Signer(["a key"]).verify(GOOD[:length], sale=7, now=NOW)


@given(st.binary(max_size=200))
def test_no_rubbish_is_a_pass_or_an_error_of_ours(token: bytes) -> None:
    with pytest.raises(PassError):
        Signer(["a key"]).verify(token, sale=7, now=NOW)


def test_a_receipt_is_no_pass_whatever_it_names() -> None:
    signer = Signer(["a key"])
    for rid in ("1-1-1", "7", "7.2"):
        receipt = signer.receipt(sale=7, rid=rid, user=2, pay_by=NOW + 60).encode()
        for token in (receipt, b"p" + receipt[1:]):
            with pytest.raises(PassError):
                signer.verify(token, sale=7, now=NOW)


def test_it_is_good_for_one_sale() -> None:
    with pytest.raises(PassError, match="other sale"):
        Signer(["a key"]).verify(GOOD, sale=8, now=NOW)
    assert Signer(["a key"]).verify(GOOD, sale=7, now=NOW) == 2


@pytest.mark.parametrize("region", ["rehearsal", "eu"])
def test_a_pass_of_another_region_is_forged_even_where_the_keys_are_shared(region: str) -> None:
    with pytest.raises(PassError, match="forged"):
        Signer([f"{region}:a key"]).verify(GOOD, sale=7, now=NOW)


def test_nothing_but_a_comparison_in_constant_time_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given both signatures whole, however early they differ, and its word is the last one."""
    signer = Signer(["a key"])
    compared: list[tuple[int, bytes]] = []
    receipt = signer.receipt(sale=7, rid="3-1-9", user=2, pay_by=1).encode()

    def never_the_same(right: bytes, given: bytes) -> bool:
        compared.append((len(right), given))
        return False

    monkeypatch.setattr(passes, "compare_digest", never_the_same)
    body, _, mac = GOOD.rpartition(b".")
    for wrong in (mac, b"0" + mac[1:], mac[:-1] + b"0"):
        with pytest.raises(PassError, match="forged"):
            signer.verify(body + b"." + wrong, sale=7, now=NOW)
    with pytest.raises(PassError, match="forged"):
        signer.verify_receipt(receipt)
    assert [length for length, _ in compared] == [48] * 4
    assert [given for _, given in compared[:3]] == [mac, b"0" + mac[1:], mac[:-1] + b"0"]
    monkeypatch.undo()
    assert vars(passes)["compare_digest"] is hmac.compare_digest
