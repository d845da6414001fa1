"""What waits for a reader who does not read: the newest of each kind, however much is pushed."""

import asyncio
from typing import Any

from flashsale.live.listener import Listener

PUSHED = 10_000


async def told_late(kinds: int) -> list[bytes]:
    """Push to a reader who takes nothing after the first word; return what leaves once he reads."""
    took: list[bytes] = []
    reads = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        await reads.wait()
        took.append(message["body"])

    listener = Listener(1, send, 0)
    for number in range(PUSHED):
        listener.push(number % kinds, b"%d." % number)
        if number == 0:
            await asyncio.sleep(0)  # the first one is on its way
    reads.set()
    await asyncio.sleep(0.01)
    return took


def test_the_newest_of_each_kind_waits_and_nothing_else() -> None:
    first, *rest = asyncio.run(told_late(kinds=1))
    assert (first, rest) == (b"0.", [b"9999."])
    first, *rest = asyncio.run(told_late(kinds=3))
    assert first == b"0."
    assert sorted(b"".join(rest).split(b".")[:-1]) == [b"9997", b"9998", b"9999"]
