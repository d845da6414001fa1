"""The states of a payment: one table, only forward.

A closed payment (rejected, error, cancelled) may still become confirmed, because a provider may take money
after it said no: such money is never ignored, it is taken for the order or sent back. Refunded is the end.
"""

from collections.abc import Mapping

from payments import PaymentStatus as Status

CLOSED = frozenset({Status.REJECTED, Status.ERROR, Status.CANCELLED})
OPEN = frozenset({Status.WAITING, Status.INPUT, Status.PREAUTH})

FORWARD: Mapping[str, frozenset[str]] = {
    Status.WAITING: frozenset({Status.INPUT, Status.PREAUTH, Status.CONFIRMED}) | CLOSED,
    Status.INPUT: frozenset({Status.PREAUTH, Status.CONFIRMED}) | CLOSED,
    Status.PREAUTH: frozenset({Status.CONFIRMED}) | CLOSED,
    Status.REJECTED: frozenset({Status.CONFIRMED}),
    Status.ERROR: frozenset({Status.CONFIRMED}),
    Status.CANCELLED: frozenset({Status.CONFIRMED}),
    Status.CONFIRMED: frozenset({Status.REFUNDED}),
    Status.REFUNDED: frozenset(),
}


def may_follow(was: str, status: str) -> bool:
    """Whether a payment in state `was` may move to `status`; False for a state it is already in."""
    return status in FORWARD[was]
