"""The canary of each queue: how old its last song is, and that beat asks for one."""

import time

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from shop import canary, tasks
from shop.broker import NAMES


@pytest.fixture(autouse=True)
def _nobody_sang() -> None:
    cache.clear()


def test_a_queue_that_was_worked_at_is_young_and_another_one_as_old_as_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(canary, "BEGAN", time.time() - 500)
    tasks.sing("mail")
    ages = canary.ages()
    assert ages.pop("mail") < 60
    assert set(ages) == set(NAMES) - {"mail"}
    assert min(ages.values()) >= 500


def test_an_old_song_is_told_as_old() -> None:
    cache.set("canary orders", time.time() - 90)
    assert 90 <= canary.ages()["orders"] < 120


def test_beat_asks_every_queue_to_sing() -> None:
    asked = [entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == "shop.tasks.sing"]
    assert {(entry["options"]["queue"], *entry["args"]) for entry in asked} == {
        (name, name) for name in NAMES
    }


@pytest.mark.django_db(transaction=True)
def test_prometheus_is_told_the_age_of_each_queue() -> None:
    told = Client().get("/metrics").content.decode()
    assert [name for name in NAMES if f'shop_canary_age_seconds{{queue="{name}"}} ' not in told] == []
