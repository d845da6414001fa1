"""Settings of production: the insecure ones stop the start with one sentence."""

import runpy
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from shop.settings import BASE_DIR

PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_TESTING": "0",
    "SECRET_KEY": "k3y-" * 20 + "of-production-only",
    "ALLOWED_HOSTS": "shop.example.com",
    "DATABASE_URL": "postgres://shop:secret@127.0.0.1:5432/shop",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CACHE_URL": "redis://127.0.0.1:6379/2",
    "PAYMENT_DUMMY": "1",
}


@pytest.fixture(autouse=True)
def _production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)


def _settings() -> dict[str, Any]:
    return runpy.run_path(str(BASE_DIR / "shop" / "settings.py"))


def _manage(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    return subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "", "Set SECRET_KEY to a random text of at least 50 characters."),
        ("SECRET_KEY", "short", "Set SECRET_KEY to a random text of at least 50 characters."),
        (
            "SECRET_KEY",
            "development-only-key-never-used-in-production-0123456789",
            "Set SECRET_KEY to a random text of at least 50 characters.",
        ),
        ("ALLOWED_HOSTS", "", "Set ALLOWED_HOSTS to the shop's own host names, separated by commas."),
        ("ALLOWED_HOSTS", "*", "Set ALLOWED_HOSTS to the shop's own host names, separated by commas."),
        ("CAPTCHA_TEST_MODE", "1", "CAPTCHA_TEST_MODE lets anybody through: never set it in production."),
        (
            "STRIPE_SECRET_KEY",
            "sk_live_1",
            "Set STRIPE_WEBHOOK_SECRET too: unsigned webhooks are never believed.",
        ),
        ("PAYMENT_DUMMY", "0", "Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET, or PAYMENT_DUMMY=1"),
        ("CLIENT_ADDRESS_HEADER", "X-Real-IP", "Set TRUSTED_PROXIES too"),
        ("TRUSTED_PROXIES", "10.0.0.0/99", "Set TRUSTED_PROXIES to addresses or networks"),
        ("METRICS_ALLOWED", "everybody", "Set METRICS_ALLOWED to addresses or networks"),
        ("REDIS_URL", "memcached://one", "Set REDIS_URL to an address of the sale's memory"),
        ("REDIS_URL", "redis+cluster://one:7000", "Set CELERY_BROKER_URL too"),
        ("LOG_FORMAT", "xml", "Set LOG_FORMAT to plain or json."),
        ("LOG_LEVEL", "loud", "Set LOG_LEVEL to one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
        ("DJANGO_TESTING", "1", "DJANGO_TESTING weakens passwords: never set it in production."),
    ],
)
def test_insecure_settings_are_refused_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refused:
        _settings()
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_production_settings_pass_the_deployment_check() -> None:
    done = _manage("check", "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, done.stderr) == (0, "")
    assert "System check identified no issues (0 silenced)." in done.stdout


@pytest.mark.parametrize("scheme", ["smtp", "smtp+tls", "smtp+ssl"])
def test_every_way_to_a_mail_server_has_a_clock(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("EMAIL_URL", f"{scheme}://shop:secret@mail.example.com:587")
    made = _settings()
    assert (made["EMAIL_BACKEND"], made["EMAIL_TIMEOUT"]) == ("shop.smtp.EmailBackend", 10)


def test_production_keeps_cookies_to_https_and_passwords_slow() -> None:
    made = _settings()
    assert made["SESSION_COOKIE_SECURE"] is made["CSRF_COOKIE_SECURE"] is made["SECURE_SSL_REDIRECT"] is True
    assert made["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert made["SECURE_HSTS_SECONDS"] == 31_536_000
    assert "PASSWORD_HASHERS" not in made
    assert made["ACCOUNT_EMAIL_VERIFICATION"] == "mandatory"
    assert made["DEBUG"] is False
