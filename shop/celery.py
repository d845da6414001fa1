"""Celery's app: thin tasks in each app's `tasks.py`, the beat schedule in `shop/schedule.py`."""

import logging
import os

from celery import Celery
from celery.signals import setup_logging
from kombu.transport import redis

from shop import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

redis.Transport.Channel = broker.Channel
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_the_log(*, loglevel: int | str, **_: object) -> None:
    """Celery sets up no log where somebody listens here: LOGGING holds; `--loglevel` is for its own lines."""
    logging.getLogger("celery").setLevel(loglevel)
