"""The gate as a process of its own: `granian --interface asginl flashsale.gate.asgi:application`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from flashsale.gate.app import application
from flashsale.gate.collecting import collect_seldom

__all__ = ["application"]

collect_seldom()
