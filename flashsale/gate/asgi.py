"""The gate as a process of its own: `granian --interface asginl flashsale.gate.asgi:application`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from flashsale.gate.app import application

__all__ = ["application"]
