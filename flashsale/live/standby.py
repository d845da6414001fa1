"""Who of the listeners has moved on standby: one look an item and second at most, for all of them."""

import time
from collections.abc import Container

import redis.asyncio

from flashsale import stock
from flashsale.replies import Own

EVERY = 1.0


class Standby:
    """The places that listeners of one sale were told last."""

    def __init__(self, client: "redis.asyncio.Redis", sale: int) -> None:
        self._client, self._sale = client, sale
        self._told: dict[int, dict[int, int]] = {}
        self._read_at: dict[int, float] = {}

    def told(self, user: int, found: Own) -> None:
        """Remember which places a shopper was told."""
        for item, answer in found.items.items():
            if answer.outcome == "standby":
                self._told.setdefault(item, {})[user] = answer.position
            else:
                self._told.get(item, {}).pop(user, None)

    def forget(self, user: int) -> None:
        """A shopper listens no more."""
        for places in self._told.values():
            places.pop(user, None)

    def forget_all(self) -> None:
        """Nothing is known of what was told."""
        self._told.clear()

    def is_due(self, item: int) -> bool:
        """Whether somebody listens who stands by for it, and the last look is long enough ago."""
        return bool(self._told.get(item)) and time.monotonic() - self._read_at.get(item, 0.0) >= EVERY

    async def moved(self, item: int, *, among: Container[int]) -> list[tuple[int, int]]:
        """Return who has another place than he was told, and which. Raises RedisError."""
        if not self.is_due(item):
            return []
        self._read_at[item] = time.monotonic()
        order = await stock.run_async(self._client, stock.standby(self._sale, item))
        told = self._told.get(item, {})
        moved = [
            (user, place)
            for place, user in enumerate(order, 1)
            if user in told and told[user] != place and user in among
        ]
        told.update(moved)
        return moved
