"""Addresses of the sale's memory."""

import pytest

from shop import store


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "service"),
    [
        ("redis://:secret@one:6380/0", "", [("one", 6380)], ""),
        ("unix:///run/valkey.sock?db=0", "", [], ""),
        ("redis+cluster://shop:secret@one:7000,two", "cluster", [("one", 7000), ("two", 6379)], ""),
        ("rediss+sentinel://one,two:26380/sale/0", "sentinel", [("one", 26379), ("two", 26380)], "sale"),
    ],
)
def test_address_is_read(url: str, kind: str, hosts: list[tuple[str, int]], service: str) -> None:
    address = store.read(url)
    assert (address.kind, list(address.hosts), address.service) == (kind, hosts, service)


def test_login_database_and_options_are_read() -> None:
    options = store.read("rediss+sentinel://shop:p%40ss@one/sale/3?ssl_ca_certs=/etc/ca.pem").options
    assert options == {
        "host": "one",
        "username": "shop",
        "password": "p@ss",
        "db": 3,
        "ssl": True,
        "ssl_ca_certs": "/etc/ca.pem",
    }


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("memcached://one", "“memcached” is not a kind of store"),
        ("redis+ring://one", "“redis+ring” is not a kind of store"),
        ("redis+sentinel://one,two", "the name of the master is missing"),
        ("redis+cluster://one,,two", "a host is missing between two commas"),
        ("redis+cluster://one:port", "Port could not be cast to integer value as 'port'"),
    ],
)
def test_other_addresses_are_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("+", r"\+")):
        store.read(url)
