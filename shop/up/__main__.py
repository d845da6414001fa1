"""`python -m shop.up run|check`: what the Makefile calls once the packages are installed."""

import os
import sys
from collections.abc import Callable

from . import messages
from .checks import run_checks
from .state import data_dir
from .supervisor import run_shop

COMMANDS: dict[str, Callable[[], int]] = {
    "run": lambda: run_shop(dict(os.environ)),
    "check": run_checks,
}


def main() -> int:
    """Run one command and turn what went wrong into one sentence."""
    name = sys.argv[1] if len(sys.argv) > 1 else "run"
    if name not in COMMANDS:
        return messages.fail(messages.Trouble(f"There is no command {name!r}: take {' or '.join(COMMANDS)}."))
    try:
        return COMMANDS[name]()
    except messages.Trouble as trouble:
        return messages.fail(trouble)
    except OSError as error:
        return messages.fail(messages.from_os_error(error, data_dir()))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
