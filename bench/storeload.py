"""Drives the store's function without a gate: packed calls on the wire, replies only counted."""

import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import hiredis
from django.conf import settings
from redis.exceptions import ResponseError

from flashsale.stock import Call, library

WINDOW = 64
CHUNK = 262_144


def packed(call: Call[Any]) -> bytes:
    """Return a function call as it goes over the wire."""
    name = f"{call.function}_{library()[0]}"
    return _words("FCALL", name, str(len(call.keys)), *call.keys, *map(str, call.args))


def _words(*words: str) -> bytes:
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


def drive(wire: Sequence[bytes]) -> tuple[float, float]:
    """Send all calls on one connection, up to `WINDOW` of them under way at a time.

    Returns the seconds it took and this driver's own share of a core: near 1 it measured itself. Raises
    ResponseError if a call was refused.
    """
    parts = urlsplit(settings.REDIS_URL)
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout=30) as line:
        if parts.password:
            _exchange(line, [_words("AUTH", parts.password)])
        started, cpu = time.perf_counter(), time.process_time()
        _exchange(line, wire)
        seconds = time.perf_counter() - started
        return seconds, (time.process_time() - cpu) / seconds


def _exchange(line: socket.socket, wire: Sequence[bytes]) -> None:
    reader, sent, answered = hiredis.Reader(), 0, 0
    while answered < len(wire):
        if sent < len(wire) and sent - answered <= WINDOW // 2:
            upto = min(len(wire), answered + WINDOW)
            line.sendall(b"".join(wire[sent:upto]))
            sent = upto
        reader.feed(line.recv(CHUNK))
        while (reply := reader.gets()) is not False:
            if isinstance(reply, Exception):
                raise ResponseError(str(reply))
            answered += 1
