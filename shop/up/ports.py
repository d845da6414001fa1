"""TCP ports of this machine: the shop's own one, and free ones for the stores."""

import errno
import os
import random
import socket
from contextlib import suppress

from .messages import Trouble

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8000
STORE_PORTS = (20_000, 32_000)


def free_port() -> int:
    """Return a loopback port nobody listens on, for a store.

    It lies below the range the kernel gives to outgoing connections: there a client that keeps asking for
    a store being restarted could take the store's port, or connect to itself.
    """
    for _ in range(200):
        port = random.randint(*STORE_PORTS)  # noqa: S311 - two runs must differ, nobody guesses
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise Trouble(
        f"No free port was found from {STORE_PORTS[0]} to {STORE_PORTS[1]}: stop something that listens."
    )


def shop_port() -> int:
    """Return PORT (default 8000) when it is a number somebody can listen on, else say so."""
    text = os.environ.get("PORT", "") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Trouble(f"PORT is {text!r}: set it to a number from 1 to 65535.")
    return int(text)


def require_free(port: int) -> None:
    """Raise the sentence to show when nobody may listen on this port now."""
    with socket.socket() as probe:
        # As servers do: a connection of the last run that is still dying is not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise Trouble(
                    f"Port {port} needs more rights: choose one above 1023, e.g. PORT=8001."
                ) from None
            raise Trouble(
                f"Port {port} is taken: stop what listens there, or choose another one, "
                f"e.g. make run PORT={port % 65535 + 1}."
            ) from None


def answers(port: int) -> bool:
    """Tell whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
