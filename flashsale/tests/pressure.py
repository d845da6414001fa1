"""Silent connections by the ten thousand: `python -m flashsale.tests.pressure PORT COUNT NETWORK`.

Holds so many sockets to a port, from eight loopback addresses of a network such as 127.20.0. Each says a
piece of a request and nothing more; whichever is closed is opened again. For each line that it reads it tells
what it has, as JSON; it ends with its input. A process may open about 20,000 files: more pressure is more
processes.
"""

import errno
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

ATTEMPT = b"POST /gate/sales/1/items/1/attempt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
BIND_ADDRESS_NO_PORT, ADDRESSES = 24, 8
EVERY, MOST_EVENTS = 0.05, 32_768
LOST = select.EPOLLHUP | select.EPOLLERR | select.EPOLLIN


class Pressure:
    """The sockets of one process; `counts` says how often they were connected and closed, and why not."""

    def __init__(self, port: int, count: int, address: str) -> None:
        self._to, self._from, self._count = ("127.0.0.1", port), address, count
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._connected: set[int] = set()
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        """Hold the sockets until nothing more can be read."""
        for _ in range(self._count):
            self._open()
        self._epoll.register(sys.stdin.fileno(), select.EPOLLIN)
        while True:
            for _ in range(self._count - len(self._sockets)):  # not at once: it is to be pressure, no storm
                self._open()
            for number, event in self._epoll.poll(EVERY, MOST_EVENTS):
                if number != sys.stdin.fileno():
                    self._heard(number, event)
                elif not os.read(number, 100):
                    return
                else:
                    sys.stdout.write(json.dumps(self.told()) + "\n")
                    sys.stdout.flush()
            time.sleep(EVERY)

    def told(self) -> dict[str, int]:
        """Return how many sockets are held and connected, and what has happened so far."""
        return {**self.counts, "held": len(self._sockets), "connected": len(self._connected)}

    def _open(self) -> None:
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)  # looking for a free port takes long
        one.bind((f"{self._from}.{len(self._sockets) % ADDRESSES + 1}", 0))
        if one.connect_ex(self._to) not in (0, errno.EINPROGRESS):
            self.counts["refused"] += 1
        self._sockets[one.fileno()] = one
        self._epoll.register(one.fileno(), select.EPOLLOUT | LOST)

    def _heard(self, number: int, event: int) -> None:
        if number not in self._connected and not event & select.EPOLLERR:
            self._connected.add(number)
            self.counts["opened"] += 1
            with suppress(OSError):
                self._sockets[number].send(ATTEMPT[: self.counts["opened"] % len(ATTEMPT)])
            self._epoll.modify(number, LOST)
        if event & LOST:
            self._epoll.unregister(number)
            self._sockets.pop(number).close()
            self._connected.discard(number)
            self.counts["failed" if event & select.EPOLLERR else "closed"] += 1


@contextmanager
def pressing(*, port: int, processes: int, each: int) -> Iterator["list[subprocess.Popen[str]]"]:
    """Press on a port with so many processes, each from a loopback network of its own."""
    with ExitStack() as ends:
        started = []
        for number in range(processes):
            command = [sys.executable, "-m", "flashsale.tests.pressure", str(port), str(each)]
            command.append(f"127.20.{number}")
            pipe = subprocess.PIPE
            started.append(ends.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)))
        yield started


def figures(pressure: "list[subprocess.Popen[str]]") -> Counter[str]:
    """Add up what the processes tell."""
    added: Counter[str] = Counter()
    for one in pressure:
        assert one.stdin is not None
        assert one.stdout is not None
        one.stdin.write("\n")
        one.stdin.flush()
        added.update(json.loads(one.stdout.readline()))
    return added


if __name__ == "__main__":
    Pressure(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]).run()
