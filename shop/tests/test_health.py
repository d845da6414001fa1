"""Health, readiness and figures."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.core import GaugeMetricFamily
from pytest_django import Settings
from redis.exceptions import ConnectionError as StoreAway

from shop import health, metrics
from shop.settings import networks


def _away() -> None:
    raise StoreAway


def _no_database() -> None:
    raise OperationalError


@pytest.fixture
def figures() -> Iterator[dict[str, metrics.Collect]]:
    before = dict(metrics._collectors.functions)
    yield metrics._collectors.functions
    metrics._collectors.functions = before


def test_a_running_process_says_ok_without_its_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_every_store_is_asked(client: Client, db: None) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"postgres": "ok", "sale_store": "ok", "cache": "ok"}
    assert "no-store" in response["Cache-Control"]


def test_the_shop_is_ready_while_the_sale_store_is_away(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_sale_store", _away)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"postgres": "ok", "sale_store": "down", "cache": "ok"}


def test_without_the_database_nothing_is_ready(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_postgres", _no_database)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["postgres"] == "down"


def test_figures_speak_of_views_not_of_addresses(client: Client, db: None) -> None:
    client.get("/accounts/addresses/4711/")
    page = client.get("/metrics")
    assert page["Content-Type"].startswith("text/plain")
    assert (
        'shop_request_seconds_count{method="GET",status="302",view="address-edit"}' in page.content.decode()
    )
    assert b"addresses/" not in page.content
    assert b"process_resident_memory_bytes" in page.content


def test_another_app_adds_its_figures_and_a_failing_one_is_named(
    client: Client, figures: dict[str, metrics.Collect]
) -> None:
    metrics.add_collector(
        name="stock", collect=lambda: [GaugeMetricFamily("sale_free", "Free units.", value=7)]
    )
    metrics.add_collector(name="queue", collect=lambda: [_away()])  # type: ignore[list-item, func-returns-value]
    page = client.get("/metrics").content.decode()
    assert "sale_free 7.0" in page
    assert 'shop_collector_failed{name="stock"} 0.0' in page
    assert 'shop_collector_failed{name="queue"} 1.0' in page


def test_visitors_find_no_figures(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 404


def test_figures_behind_a_proxy_go_by_the_address_it_names(client: Client, settings: Settings) -> None:
    settings.CLIENT_ADDRESS_HEADER = "X-Forwarded-For"
    settings.TRUSTED_PROXIES = networks(["127.0.0.1"], of="TRUSTED_PROXIES")
    settings.METRICS_ALLOWED = networks(["10.0.0.0/8"], of="METRICS_ALLOWED")
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_figures_stay_hidden_behind_a_proxy_that_nobody_set_up(client: Client, header: str) -> None:
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 404
