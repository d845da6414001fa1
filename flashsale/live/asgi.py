"""The live channel as a process of its own (see the Procfile)."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from flashsale.gate.collecting import collect_seldom
from flashsale.live.app import application

__all__ = ["application"]

collect_seldom()
