"""Challenges drawn ahead: taken once, topped up, done without."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import patch

import pytest
from captcha.models import CaptchaStore
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from pytest_django import Settings
from redis import Redis, RedisError

from accounts import captcha_pool
from accounts.captcha import CaptchaForm, new_challenge, solve
from accounts.tasks import draw_captchas

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.session = SessionStore()
    return request


@pytest.fixture
def pool(settings: Settings) -> None:
    settings.CAPTCHA_POOL = 2
    draw_captchas()


def test_a_full_pool_is_not_filled_further(pool: None) -> None:
    assert captcha_pool.top_up(size=2) == 0
    assert CaptchaStore.objects.count() == 2


def test_a_challenge_is_handed_out_once(pool: None) -> None:
    one, other = captcha_pool.take(), captcha_pool.take()
    assert one is not None
    assert other is not None
    assert one.hashkey != other.hashkey
    assert one.picture != other.picture
    assert captcha_pool.take() is None


def _handed_out_to_eight() -> int:
    start = Barrier(8)

    def take(_number: int) -> bool:
        start.wait()
        return captcha_pool.take() is not None

    with ThreadPoolExecutor(8) as shoppers:
        return sum(shoppers.map(take, range(8)))


def test_eight_shoppers_at_once_get_two_challenges(pool: None) -> None:
    assert _handed_out_to_eight() == 2


def test_reading_before_removing_hands_one_picture_to_several(pool: None) -> None:
    """The control: two commands where one removes what it returns."""

    def read_then_remove(client: Redis, name: str) -> object:
        found = client.zrange(name, 0, 0, withscores=True)
        time.sleep(0.05)
        client.zremrangebyrank(name, 0, 0)
        return found

    with patch.object(Redis, "zpopmin", read_then_remove):
        assert _handed_out_to_eight() > 2


def test_the_page_carries_the_picture_and_its_letters_pass(pool: None, request_: HttpRequest) -> None:
    html = render_to_string("captcha/challenge.html", {"form": CaptchaForm(request=request_)}, request_)
    picture = html.partition("data:image/png;base64,")[2].partition('"')[0]
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    key = html.partition('name="captcha_key" value="')[2].partition('"')[0]
    assert solve(request_, key, CaptchaStore.objects.get(hashkey=key[:40]).response)


def test_an_empty_pool_leaves_the_drawing_to_the_request(request_: HttpRequest) -> None:
    challenge = new_challenge(request_)
    assert challenge.picture == ""
    assert CaptchaStore.objects.filter(hashkey=challenge.key[:40]).exists()


def test_without_the_cache_a_challenge_is_made_all_the_same(request_: HttpRequest) -> None:
    with patch.object(Redis, "zpopmin", side_effect=RedisError):
        assert new_challenge(request_).picture == ""


def test_a_challenge_that_waited_too_long_is_not_handed_out(settings: Settings) -> None:
    settings.CAPTCHA_POOL, settings.CAPTCHA_TIMEOUT = 1, 0
    draw_captchas()
    assert captcha_pool.take() is None


def test_a_pool_of_another_database_is_drawn_anew(pool: None) -> None:
    CaptchaStore.objects.all().delete()
    assert captcha_pool.top_up(size=2) == 2
    ready = captcha_pool.take()
    assert ready is not None
    assert CaptchaStore.objects.filter(hashkey=ready.hashkey).exists()
