"""A TCP proxy that can delay, cut, and swallow replies: the network between a role and a store."""

import asyncio
import socket
import struct
import threading
from contextlib import suppress

from shop.up.ports import LOOPBACK

RESET = struct.pack("ii", 1, 0)
CHUNK = 65_536
Writer = asyncio.StreamWriter


class Proxy:
    """Carries every byte to `target` (a port of this machine) until it is told otherwise; one thread."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay = 0.0
        self.swallow = 0
        self.port = 0
        self._pairs: set[tuple[Writer, Writer]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def cut(self) -> None:
        """Reset every connection."""
        self._loop.call_soon_threadsafe(self._cut)

    def lose_replies(self, number: int) -> None:
        """Lose the next replies of calls that were carried out: each time the connection is reset instead."""
        self.swallow = number

    def heal(self) -> None:
        """Carry everything at once again."""
        self.delay, self.swallow = 0.0, 0

    def stop(self) -> None:
        """Hang up and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, LOOPBACK, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._hang_up())
        self._loop.close()

    async def _hang_up(self) -> None:
        self._cut()
        carrying = asyncio.all_tasks() - {asyncio.current_task()}
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
        await asyncio.sleep(0)  # what was cut is closed in the loop's next turn

    def _cut(self) -> None:
        for pair in list(self._pairs):
            _reset(*pair)

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            there, to_there = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            _reset(writer)
            return
        pair = (writer, to_there)
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._carry(reader, to_there, pair, is_reply=False),
                self._carry(there, writer, pair, is_reply=True),
            )
        finally:
            self._pairs.discard(pair)

    async def _carry(
        self, source: asyncio.StreamReader, sink: Writer, pair: tuple[Writer, Writer], *, is_reply: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                if is_reply and self.swallow > 0:
                    self.swallow -= 1
                    _reset(*pair)
                    return
                if self.delay:
                    await asyncio.sleep(self.delay)
                sink.write(data)
                await sink.drain()
        with suppress(OSError, RuntimeError):
            sink.close()


def _reset(*writers: Writer) -> None:
    for writer in writers:
        connection = writer.get_extra_info("socket")
        with suppress(OSError, AttributeError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()
