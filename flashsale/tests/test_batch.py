"""Group commit: who waits, who leaves, and what a silent store does."""

import asyncio
import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from redis.exceptions import ConnectionError as StoreAway

from flashsale.gate.batch import Batcher
from flashsale.gate.metrics import Metrics
from flashsale.replies import Answer, Decided


class Store:
    """Decides a batch when it is let go; notes every batch it was given."""

    def __init__(self, failures: int = 0) -> None:
        self.batches: list[list[tuple[int, int]]] = []
        self.open = asyncio.Event()
        self.failures = failures

    async def decide(self, attempts: Sequence[tuple[int, int]]) -> Decided:
        self.batches.append(list(attempts))
        await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise StoreAway
        return Decided(7, 1, 1, "open", [Answer("reserved", rid=f"{user}") for _, user in attempts])


def tell(_user: int, answer: Answer, _now: int, _since: float) -> Answer:
    return answer


def batcher(store: Store, size: int = 10) -> Batcher[Answer]:
    return Batcher(store.decide, tell, size=size, timeout=1.0, hold_at_most=10, metrics=Metrics())


def test_what_arrives_during_a_call_is_the_next_batch() -> None:
    async def story() -> None:
        store = Store()
        gate = batcher(store)
        futures = [gate.attempt(1, 0)]
        await asyncio.sleep(0)
        futures += [gate.attempt(1, user) for user in (1, 2, 3)]
        store.open.set()
        answers = await asyncio.gather(*futures)
        assert store.batches == [[(1, 0)], [(1, 1), (1, 2), (1, 3)]]
        assert [answer.rid for answer in answers] == ["0", "1", "2", "3"]

    asyncio.run(story())


def test_a_batch_is_bounded() -> None:
    async def story() -> None:
        store = Store()
        gate = batcher(store, size=2)
        store.open.set()
        await asyncio.gather(*(gate.attempt(1, user) for user in range(5)))
        assert [len(batch) for batch in store.batches] == [2, 2, 1]

    asyncio.run(story())


def test_a_shopper_who_goes_away_disturbs_nobody() -> None:
    async def story() -> None:
        store = Store()
        gate = batcher(store)
        ann, ben, cid = (gate.attempt(1, user) for user in (1, 2, 3))
        await asyncio.sleep(0)
        ben.cancel()
        store.open.set()
        assert [(await ann).rid, (await cid).rid] == ["1", "3"]

    asyncio.run(story())


@pytest.mark.parametrize(("failures", "outcome", "calls"), [(1, "reserved", 2), (2, "paused", 2)])
def test_a_silent_store_is_asked_once_more_and_then_the_answer_is_paused(
    failures: int, outcome: str, calls: int
) -> None:
    async def story() -> None:
        store = Store(failures)
        store.open.set()
        answer = await batcher(store).attempt(1, 1)
        assert (answer.outcome, len(store.batches)) == (outcome, calls)

    asyncio.run(story())


def test_whoever_waited_too_long_costs_the_store_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    hour = SimpleNamespace(time=time.time, now=0.0)
    hour.monotonic = lambda: hour.now
    monkeypatch.setattr("flashsale.gate.batch.time", hour)

    async def story() -> None:
        store = Store()
        gate = batcher(store)
        first = gate.attempt(1, 0)
        await asyncio.sleep(0)
        late, gone = gate.attempt(1, 1), gate.attempt(1, 2)
        gone.cancel()
        hour.now = 0.5
        patient = gate.attempt(1, 3)
        hour.now = 1.25
        store.open.set()
        told = [(await future).outcome for future in (first, late, patient)]
        assert told == ["reserved", "paused", "reserved"]
        assert store.batches == [[(1, 0)], [(1, 3)]]

    asyncio.run(story())


def test_whoever_is_held_comes_back_in_the_order_of_the_turns_however_late_the_first_was_told() -> None:
    order: list[int] = []

    async def story() -> None:
        def clock() -> int:
            return int(asyncio.get_running_loop().time() * 1000)

        turns = {1: clock() + 200, 2: clock() + 205}

        async def decide(attempts: Sequence[tuple[int, int]]) -> Decided:
            now = clock()
            is_first = not order
            order.extend(user for _, user in attempts)
            if is_first:
                await asyncio.sleep(
                    0.06
                )  # this reply is late, so the store's clock seems to stand further on
            answers = [
                Answer("reserved") if turns[user] <= now else Answer("queued", at=turns[user])
                for _, user in attempts
            ]
            return Decided(now, 1, 1, "open", answers)

        gate = Batcher(decide, tell, size=10, timeout=1.0, hold_at_most=10, metrics=Metrics())
        first = gate.attempt(1, 1)
        await asyncio.sleep(0)
        told = await asyncio.gather(first, gate.attempt(1, 2))
        assert [answer.outcome for answer in told] == ["reserved", "reserved"]

    asyncio.run(story())
    assert order[:2] == [1, 2]
    assert order[2] == 1, "the second one, who knew the clock better, must not overtake the first"
