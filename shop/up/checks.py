"""`make check`: format, lint, types, migrations, deployment settings. All of them run."""

import os
import secrets
import subprocess
import sys
import time

from .messages import say
from .state import ROOT
from .teststores import TestStores

MANAGE = [sys.executable, "manage.py"]
CHECKS: dict[str, list[str]] = {
    "format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "lint": [sys.executable, "-m", "ruff", "check", "."],
    "types": [sys.executable, "-m", "mypy", "."],
    "migrations": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "deployment": [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
}
PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_TESTING": "0",
    "ALLOWED_HOSTS": "shop.example.com",
    "STRIPE_SECRET_KEY": "sk_check",
    "STRIPE_WEBHOOK_SECRET": "whsec_check",
    "CSRF_TRUSTED_ORIGINS": "https://shop.example.com",
}


def run_checks() -> int:
    """Run every check and return how many failed."""
    stores = TestStores()
    failed = []
    try:
        stores.start()
        for name, command in CHECKS.items():
            env = {**os.environ, "SECRET_KEY": secrets.token_hex(32)}
            if name == "deployment":
                env.update(PRODUCTION)
            started = time.monotonic()
            code = subprocess.call(command, cwd=ROOT, env=env)
            say(f"{name}: {'ok' if code == 0 else 'FAILED'} ({time.monotonic() - started:.1f} s)")
            failed += [name] if code else []
    finally:
        stores.stop()
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return len(failed)
