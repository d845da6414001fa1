"""`python -m shop.up.probe`: wait until a Celery worker of this shop answers, at most 80 seconds."""

import sys
import time

from kombu.exceptions import OperationalError

from shop.celery import app

SECONDS = 80.0


def main() -> int:
    """Return 0 as soon as a worker answers."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if app.control.ping(timeout=0.5):
                return 0
        except (OSError, OperationalError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            time.sleep(0.5)
    print("no worker answered", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
