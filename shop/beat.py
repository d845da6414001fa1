"""A beat that goes on when the clock of its machine was ahead and is put right."""

from typing import Any

from celery.beat import PersistentScheduler


class Scheduler(PersistentScheduler):
    """Celery's own, which waits until the moment comes again at which it last started a task.

    A clock that is put back by an hour would keep beat silent for an hour, over a restart, too: deadlines
    would end late, and mail wait. So nothing was ever started later than now.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Start what is due; return the seconds until it is worth while to look again."""
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            self._heap = None  # it is in the order of times that have not come: made anew
        return float(super().tick(*args, **kwargs))
