"""The people of the demo shop, named once: `seed_demo` makes them, the ready line tells of them."""

DEMO_PASSWORD = "flash-sale-demo"  # noqa: S105 - public on purpose: `seed_demo` runs in development only

DEMO_ACCOUNTS: tuple[tuple[str, str, str], ...] = (
    ("shopper", "shopper@example.com", DEMO_PASSWORD),
    ("rival", "rival@example.com", DEMO_PASSWORD),
    ("merchandiser", "merchandiser@example.com", DEMO_PASSWORD),
    ("support", "support@example.com", DEMO_PASSWORD),
    ("admin", "admin@example.com", DEMO_PASSWORD),
)
"""One (role, e-mail, password) each."""
