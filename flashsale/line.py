"""The line of a sale as the store keeps it, and whether its order is what the key says (docs/queue.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flashsale import queue, stock
from flashsale.models import Sale

LOT = 2**32
PAGE = 5000


@dataclass(frozen=True, slots=True)
class Place:
    """One ticket: its number in the line, whose it is, and its score as the store keeps it.

    A score from 1 on is a number given in order of arrival; from 2^32 on it is a lot of a band; below
    -2^32 it is a lot from before the opening, which is band 0.
    """

    number: int
    user: int
    score: int

    @property
    def band(self) -> int | None:
        """Which band the ticket was drawn in, 0 for before the opening; None if it was not drawn."""
        if 0 < self.score < LOT:
            return None
        return self.score // LOT if self.score > 0 else 0

    @property
    def lot(self) -> int | None:
        """The lot that the score claims; None if the ticket was not drawn."""
        if self.band is None:
            return None
        return self.score - self.band * LOT if self.band else self.score + 2 * LOT


def read(sale_id: int) -> Iterator[Place]:
    """Read the line from its head to its end, page by page. Raises RedisError if the store is away."""
    start = 0
    while page := stock.run(stock.line(sale_id, start, PAGE)):
        for number, (user, score) in enumerate(page, start + 1):
            yield Place(number, user, score)
        start += len(page)


def band_began(sale: Sale, band: int) -> datetime | None:
    """Return when a band began; None for the one before the opening."""
    return sale.opens_at + timedelta(milliseconds=(band - 1) * sale.tie_band) if band else None


def fault(sale: Sale, place: Place) -> str:
    """Say what is wrong with a ticket, in a sentence; empty if it stands where arrival and key put it.

    The line is read in the order of its scores. So it is right if every score is: a number given by
    arrival is the ticket's rank, a lot is the one that key and user make, and its band is one of the sale.
    """
    band = place.band
    if band is None:
        return _fault_of_arrival(sale, place)
    # A score is a double: past band 2^21 it keeps fewer bits of the lot.
    lot = queue.lot(sale.line_key, place.user)
    score = float(band * LOT + lot) if band else float(lot - 2 * LOT)
    if score != float(place.score):
        return f"Ticket {place.number} of user {place.user} has the lot {place.lot}, not {lot}."
    if band and not sale.tie_band:
        return f"Ticket {place.number} of user {place.user} was drawn, but this sale has no tie band."
    began = band_began(sale, band)
    if began and began >= sale.closes_at:
        return f"Ticket {place.number} of user {place.user} is of a band after the end of the sale."
    return ""


def _fault_of_arrival(sale: Sale, place: Place) -> str:
    if sale.tie_band:
        return f"Ticket {place.number} of user {place.user} was not drawn, but this sale has a tie band."
    if place.score != place.number:
        return f"Ticket {place.number} of user {place.user} was given the number {place.score}."
    return ""
