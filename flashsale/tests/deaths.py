"""Processes that die in the middle, as the kernel and power cuts let them: without a last word."""

import os
import signal
from collections.abc import Callable
from typing import NoReturn

from django.db import connections


def die() -> NoReturn:
    """End this process by kill -9: nothing is rolled back, closed or said by it."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("kill -9 was survived")


def do_and_die(act: Callable[[], object]) -> NoReturn:
    """Do `act` and die before anybody hears of it."""
    act()
    die()


def dies(act: Callable[[], object]) -> None:
    """Do `act` in a process of its own, which must `die` in it; it shares no connection with this one."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
