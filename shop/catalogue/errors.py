"""What can go wrong in the catalogue, for the views to turn into sentences."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shortage:
    """A variant of which fewer are left than were wanted; `left` is 0 if it is gone altogether."""

    variant_id: int
    title: str
    wanted: int
    left: int


class OutOfStock(Exception):
    """Ordinary stock does not suffice; `lines` names every variant that is short. Nothing was taken."""

    def __init__(self, lines: Sequence[Shortage]) -> None:
        super().__init__(", ".join(f"variant {line.variant_id}: {line.left} left" for line in lines))
        self.lines = tuple(lines)
