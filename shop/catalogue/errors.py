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


class Unreadable(Exception):
    """A file that is no catalogue at all; the message is one sentence for the reader."""


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong with a row of a file, as a sentence; `line` counts the file's own lines from 1."""

    line: int
    text: str


class BadRows(Exception):
    """Rows that cannot be imported, each with its line; nothing of the file was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} bad rows")
        self.problems = tuple(sorted(problems))
