"""The gate as a process of its own: `granian --interface asginl flashsale.gate.asgi:application`."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from flashsale.gate.app import application

__all__ = ["application"]

# The path makes no cycles. Looking for some among the futures of a crowd, every 700 objects, took a fifth of
# the gate's time; now it is done seldom, and not among what was there at the start.
gc.collect()
gc.freeze()
gc.set_threshold(100_000, 50, 100)
