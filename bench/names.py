"""The sections of a round, in the order in which they run."""

SECTIONS = (
    "limit",
    "wins",
    "percall",
    "half",
    "refusals",
    "edge",
    "orders",
    "isolation",
    "entry",
    "league",
    "growth",
    "tickets",
    "ties",
    "live",
    "million",
)

ONCE = ("edge", "live")
"""These repeat inside what they measure, or take a minute: the first round has them, the others do not."""
