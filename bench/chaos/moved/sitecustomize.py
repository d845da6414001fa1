"""Python runs this first in a process that has this folder on its path: its clock is moved from then on.

`CLOCK_AHEAD` says by how many seconds; what measures durations (the monotonic clock) stays as it is.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

ahead = timedelta(seconds=float(os.environ["CLOCK_AHEAD"]))
time_machine.travel(datetime.now(UTC) + ahead, tick=True).start()
