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
