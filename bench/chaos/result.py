"""What all runs together have shown, and how it is written down."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

COUNTED = ("faults", "outcomes", "ends")
SUMMED = ("runs", "attempts", "kept", "seconds")


@dataclass(slots=True)
class Result:
    """All runs together; `kept` counts reservations told before any fault and told again after all.

    `seconds` is the sum over all runs, `took` what passed on the clock.
    """

    runs: int = 0
    kept: int = 0
    violations: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    seconds: float = 0.0
    took: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the figures for the file."""
        counted = {name: dict(getattr(self, name)) for name in COUNTED}
        return {
            "runs": self.runs,
            "violations": self.violations,
            "attempts": self.attempts,
            "kept": self.kept,
            "seconds": round(self.seconds, 1),
            "took": round(self.took, 1),
            **counted,
        }

    def add(self, told: Path) -> Self:
        """Add the figures of a file that another process wrote. Raises OSError and ValueError."""
        figures = json.loads(told.read_text())
        for name in SUMMED:
            setattr(self, name, getattr(self, name) + figures[name])
        for name in COUNTED:
            getattr(self, name).update(figures[name])
        self.violations += figures["violations"]
        return self
