"""The blocked, pushed to the gates: a pass lives on for hours, and nobody asks the database at the gate.

A gate hears of a change at once and reads the list again every few seconds, should it have missed one. An
attempt that was decided before it heard is found when it is recorded: see `recording`.
"""

import logging

from redis.exceptions import RedisError

from accounts import standing
from flashsale import stock

logger = logging.getLogger(__name__)


def push() -> bool:
    """Tell the gates who is blocked now; False if they know it. Without the store the next beat does it."""
    try:
        return stock.tell_blocked(standing.refused().values_list("pk", flat=True))
    except RedisError as error:
        logger.warning("The gates were not told who is blocked: %s", type(error).__name__)
        return False
