"""A store that is spoken to in secret: a Redis with a certificate of its own, and a user with a password.

The Valkey of the wheel is built without TLS; the Redis of the system has it, and runs the same functions.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from pytest_django import Settings

from accounts.models import User
from flashsale import draining
from flashsale.models import SaleItem
from flashsale.tests.clusters import Server, stopping, until
from flashsale.tests.conftest import MakeSale, MakeShoppers, is_clean
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate
from shop import broker
from shop.orders.models import Order
from shop.up.ports import LOOPBACK, free_port
from shop.up.valkey import SALE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.cluster]
USER = "user shop on >secret ~fs:* &fs:* +@all -@dangerous +config|get"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for this machine that nobody else has signed; its key lies beside it."""
    made = tmp_path / "store.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=store"
    names = ["-addext", f"subjectAltName=IP:{LOOPBACK}", "-keyout", str(made.with_suffix(".key"))]
    subprocess.run([*command.split(), *names, "-out", str(made)], check=True, capture_output=True)
    return made


@pytest.fixture
def port(tmp_path: Path, certificate: Path) -> Iterator[int]:
    """The port of a store that speaks TLS there."""
    program, port = shutil.which("redis-server"), free_port()
    assert program, "install it with `apt-get install redis-server`"
    lines = [
        *SALE,
        USER,
        "user root on >all allkeys allchannels +@all",  # a broker's keys are its own
        f"tls-port {port}",
        f"tls-cert-file {certificate}",
        f"tls-key-file {certificate.with_suffix('.key')}",
        "tls-auth-clients no",
    ]
    server = Server(tmp_path / "secret", *lines, program=program)
    with stopping([server]):
        yield port


def told(gate: str, item: SaleItem, user: User) -> str:
    return str(attempt_at(gate, item, bearer(a_pass(item, user)))[1]["outcome"])


def test_sale_runs_over_tls_as_a_user_of_its_own(
    port: int, certificate: Path, make_sale: MakeSale, shoppers: MakeShoppers, settings: Settings
) -> None:
    url = f"rediss://shop:secret@{LOOPBACK}:{port}/0?ssl_ca_certs={certificate}"
    settings.CACHES = settings.CACHES | {"sale": settings.CACHES["sale"] | {"LOCATION": [url]}}
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    with running_gate(REDIS_URL=url) as gate:
        # A gate whose first connection takes long says "paused" meanwhile.
        until(lambda: told(gate, item, ann) == "reserved", "the gate has reached the store")
        assert told(gate, item, ben) == "sold_out"
    draining.drain_once(sale_id=item.sale_id)
    assert Order.objects.get().user == ann
    assert is_clean(item)


def test_broker_beside_such_a_store_is_verified_too(port: int, certificate: Path) -> None:
    store = f"rediss://root:all@{LOOPBACK}:{port}/0"
    with Connection(broker.verified(broker.beside(f"{store}?ssl_ca_certs={certificate}"))) as trusted:
        assert trusted.ensure_connection(max_retries=1, timeout=2).connected
    with (
        Connection(broker.verified(broker.beside(store)), connect_timeout=2) as unknown,
        pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        unknown.ensure_connection(max_retries=1, timeout=2)


@pytest.mark.parametrize(
    "url",
    [
        "rediss://shop:secret@{host}:{port}/0",  # a certificate that nobody vouches for
        "rediss://shop:secret@localhost:{port}/0?ssl_ca_certs={certificate}",  # it is another host's
        "rediss://shop:guessed@{host}:{port}/0?ssl_ca_certs={certificate}",
        "redis://shop:secret@{host}:{port}/0",  # not in secret
    ],
)
def test_store_that_cannot_be_trusted_sells_nothing(
    url: str, port: int, certificate: Path, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(quantity=1), shoppers(1)
    bad = url.format(host=LOOPBACK, port=port, certificate=certificate)
    with running_gate(REDIS_URL=bad, CELERY_BROKER_URL=settings.CELERY_BROKER_URL) as gate:
        status, told, _ = attempt_at(gate, item, bearer(a_pass(item, ann)))
    assert (status, told["outcome"]) == (503, "paused")
