"""What a seed means: the sale, its crowd and the faults; the rest of a run is left to its processes."""

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

STORM_SECONDS = 2.0
FAULTS = {
    "kill gate": 3,
    "kill worker": 3,
    "kill beat": 1,
    "kill web": 2,
    "kill store": 3,
    "restart store": 1,
    "freeze store": 2,
    "cut store": 3,
    "lose replies of store": 3,
    "slow store": 1,
    "empty store": 3,
    "old store": 2,
    "full disk": 1,
    "kill postgres": 2,
    "restart postgres": 1,
    "kill backends": 3,
    "freeze postgres": 2,
    "cut postgres": 3,
    "lose replies of postgres": 3,
    "freeze worker": 2,
    "repeat entries": 2,
    "pause": 1,
    "kill everything": 0,
    "full disk of postgres": 2,
    "move clock": 3,
}
"""Every fault, and how often it is drawn; 0: only by `--only`, for it leaves no other anything to hit."""
PATIENT = frozenset({"kill everything"})
"""Faults after which a shopper's unit is to be his still, when everything has been started again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, when (seconds after the opening) and for how long it lasts (seconds)."""

    name: str
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One run."""

    seed: int
    shoppers: int
    units: int
    standby: int
    pay_within: int
    rate: int | None
    tries: int
    pays: float
    cancels: float
    pays_late: float
    pays_twice: float
    leaves: float
    faults: tuple[Fault, ...]

    def words(self) -> dict[str, Any]:
        """Everything that was drawn, for the report."""
        return asdict(self)


def of(seed: int, *, only: str = "") -> Plan:
    """Expand a seed; `only` names the one fault of each run."""
    chance = Random(seed)  # noqa: S311 - the same seed is the same run
    names = [only] if only else _draw(chance)
    is_patient = only in PATIENT
    return Plan(
        seed=seed,
        shoppers=chance.randint(120, 240),
        units=chance.randint(8, 40),
        standby=chance.choice((0, 5, 15)),
        pay_within=chance.choice((2, 3, 5)) * (30 if is_patient else 1),
        rate=chance.choice((None, None, 60, 200)),
        tries=chance.randint(1, 3),
        pays=chance.uniform(0.3, 0.7),
        cancels=chance.uniform(0.0, 0.3),
        pays_late=0.0 if is_patient else 0.15,
        pays_twice=chance.uniform(0.0, 0.2),
        leaves=chance.uniform(0.0, 0.2),
        faults=tuple(
            Fault(name, chance.uniform(0.2, STORM_SECONDS - 0.3), chance.uniform(0.1, 1.2)) for name in names
        ),
    )


def _draw(chance: Random) -> list[str]:
    number = chance.choice((1, 1, 2, 2, 3))
    drawn = chance.choices(list(FAULTS), list(FAULTS.values()), k=number)
    return list(dict.fromkeys(drawn))
