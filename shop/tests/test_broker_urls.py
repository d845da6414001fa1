"""Where Celery's broker is, worked out of one URL."""

import pytest

from shop import broker


@pytest.mark.parametrize(
    ("store", "beside"),
    [
        ("redis://:pw@one:6379/0", "redis://:pw@one:6379/1"),
        ("redis://one:6379", "redis://one:6379/1"),
        ("rediss://one:6379/0?ssl_ca_certs=/etc/ca.pem", "rediss://one:6379/1?ssl_ca_certs=/etc/ca.pem"),
        ("unix:///run/valkey.sock?db=0", "redis+socket:///run/valkey.sock?virtual_host=1"),
    ],
)
def test_broker_is_the_next_database_of_the_same_server(store: str, beside: str) -> None:
    assert broker.beside(store) == beside


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("rediss://one/1", "rediss://one/1?ssl_cert_reqs=required"),
        ("rediss://one/1?ssl_ca_certs=/ca", "rediss://one/1?ssl_ca_certs=/ca&ssl_cert_reqs=required"),
        ("rediss://one/1?ssl_cert_reqs=none", "rediss://one/1?ssl_cert_reqs=none"),
        ("redis://one/1", "redis://one/1"),
        ("amqps://one/shop", "amqps://one/shop"),
    ],
)
def test_certificate_of_a_broker_is_looked_at_unless_it_is_said_otherwise(url: str, verified: str) -> None:
    assert broker.verified(url) == verified
