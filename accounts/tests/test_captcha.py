"""The captcha: one session, one try, a picture and a sound."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from captcha.models import CaptchaStore
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import captcha, captcha_pool
from accounts.captcha import CaptchaForm, new_challenge, solve
from accounts.tasks import forget_the_expired


@pytest.fixture
def request_(rf: RequestFactory, db: None) -> HttpRequest:
    request = rf.get("/")
    request.session = SessionStore()
    return request


def _answer(key: str) -> str:
    return str(CaptchaStore.objects.get(hashkey=key.partition("-")[0]).response)


def test_the_right_letters_pass_in_any_case_and_once(request_: HttpRequest) -> None:
    key = new_challenge(request_).key
    answer = f" {_answer(key).upper()} "
    assert solve(request_, key, answer)
    assert not solve(request_, key, answer)


def test_wrong_letters_use_the_challenge_up(request_: HttpRequest) -> None:
    key = new_challenge(request_).key
    answer = _answer(key)
    assert not solve(request_, key, "wrong")
    assert not solve(request_, key, answer)


def test_another_session_cannot_use_a_solution_and_leaves_it_alone(
    request_: HttpRequest, rf: RequestFactory
) -> None:
    key = new_challenge(request_).key
    other = rf.get("/")
    other.session = SessionStore()
    assert not solve(other, key, _answer(key))
    assert solve(request_, key, _answer(key))


def test_a_challenge_ends(request_: HttpRequest) -> None:
    key = new_challenge(request_).key
    answer = _answer(key)
    CaptchaStore.objects.update(expiration=timezone.now())
    assert not solve(request_, key, answer)


def test_the_test_setting_passes_one_word_once(request_: HttpRequest, settings: Settings) -> None:
    settings.CAPTCHA_TEST_MODE = True
    key = new_challenge(request_).key
    assert solve(request_, key, "PASSED")
    assert not solve(request_, key, "PASSED")


def _solved_by_twenty(request_: HttpRequest) -> int:
    key = new_challenge(request_).key
    answer, start = _answer(key), Barrier(20)

    def post(_number: int) -> bool:
        try:
            connection.ensure_connection()
            start.wait()
            return solve(request_, key, answer)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as posts:
        return sum(posts.map(post, range(20)))


@pytest.mark.django_db(transaction=True)
def test_twenty_posts_of_one_solution_enter_once(request_: HttpRequest) -> None:
    assert _solved_by_twenty(request_) == 1


@pytest.mark.django_db(transaction=True)
def test_reading_before_deleting_lets_more_than_one_in(
    request_: HttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the way of the library, which the one counted DELETE replaces."""

    def read_then_delete(hashkey: str) -> str | None:
        store = CaptchaStore.objects.filter(hashkey=hashkey).first()
        if store is None:
            return None
        time.sleep(0.05)
        store.delete()
        return str(store.response)

    monkeypatch.setattr(captcha, "_take", read_then_delete)
    assert _solved_by_twenty(request_) > 1


def test_the_form_refuses_and_asks_anew(request_: HttpRequest) -> None:
    form = CaptchaForm({"captcha_key": new_challenge(request_).key, "captcha": "wrong"}, request=request_)
    assert form.errors["captcha"] == ["These were other letters. Try again with the new ones below."]
    assert form.challenge().key != form.data["captcha_key"]


def test_the_form_lets_the_right_letters_through(request_: HttpRequest) -> None:
    key = new_challenge(request_).key
    assert CaptchaForm({"captcha_key": key, "captcha": _answer(key)}, request=request_).is_valid()


def test_the_part_draws_picture_and_sound(request_: HttpRequest) -> None:
    html = render_to_string("captcha/challenge.html", {"form": CaptchaForm(request=request_)}, request_)
    key = html.partition('name="captcha_key" value="')[2].partition('"')[0]
    assert f'<img class="captcha" src="/accounts/captcha/{key}.png"' in html
    assert 'alt="Five letters, drawn crookedly.' in html
    assert f'src="/accounts/captcha/{key}.wav"' in html
    assert html.count(f'name="captcha_key" value="{key}"') == 1


def test_the_picture_is_drawn_for_its_own_session_only(client: Client, key: str) -> None:
    url = reverse("captcha-image", args=[key])
    picture = client.get(url)
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
    assert "no-store" in picture["Cache-Control"]
    assert Client().get(url).status_code == 404


def test_what_is_over_is_forgotten(request_: HttpRequest) -> None:
    over, open_ = captcha_pool.store(minutes=5), captcha_pool.store(minutes=5)
    CaptchaStore.objects.filter(hashkey=over).update(expiration=timezone.now())
    forget_the_expired()
    assert list(CaptchaStore.objects.values_list("hashkey", flat=True)) == [open_]
