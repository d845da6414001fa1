"""The check against robots: letters as a picture or as sound, bound to a session, good for one try."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from captcha.models import CaptchaStore
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import captcha_pool
from accounts.forms import UncutForm

SPEAKER = Path(__file__).with_name("speak.py")
SPEAK_SECONDS = 5


class Challenge(NamedTuple):
    """What a page shows: the key of one session's challenge, and its picture (base64) if it is drawn yet."""

    key: str
    picture: str = ""


def shown_again(request: HttpRequest, key: str) -> Challenge | None:
    """Return a challenge that this session has and has not tried; None if the key is not one of its own."""
    return Challenge(key) if mine(request, key) else None


def new_challenge(request: HttpRequest) -> Challenge:
    """Return a challenge that only this session can solve. Drawn ahead, it costs the database nothing."""
    ready = captcha_pool.take()
    if ready is not None:
        return Challenge(key_for(request, ready.hashkey), ready.picture)
    return Challenge(key_for(request, captcha_pool.store(minutes=settings.CAPTCHA_TIMEOUT)))


def key_for(request: HttpRequest, hashkey: str) -> str:
    """Bind a challenge to this session: the key is its hashkey, signed for the session."""
    if not request.session.session_key:
        request.session.create()
    return f"{hashkey}-{_signature(request, hashkey)}"


def mine(request: HttpRequest, key: str) -> str | None:
    """Return the hashkey of a challenge that this session was given, None if it was not."""
    hashkey, _, signature = key.partition("-")
    if request.session.session_key and constant_time_compare(signature, _signature(request, hashkey)):
        return hashkey
    return None


def _signature(request: HttpRequest, hashkey: str) -> str:
    text = f"{hashkey}-{request.session.session_key}"
    return salted_hmac("accounts.captcha", text, algorithm="sha256").hexdigest()


def _take(hashkey: str) -> str | None:
    """Remove a challenge and return what was to be typed; None if it is over or somebody took it before.

    Two posts of one solution meet here: the row goes in the statement that reads it, so one of them has it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM captcha_captchastore WHERE hashkey = %s RETURNING response, expiration > %s",
            [hashkey, timezone.now()],
        )
        row = cursor.fetchone()
    return row[0] if row and row[1] else None


def solve(request: HttpRequest, key: str, answer: str) -> bool:
    """Use up a challenge of this session; True if the answer was right. There is no second try either way.

    Call it outside a transaction: one that is rolled back would give the challenge back.
    """
    hashkey = mine(request, key)
    expected = _take(hashkey) if hashkey else None
    if expected is None:
        return False
    given = "".join(answer.split()).lower()
    return given == expected or (settings.CAPTCHA_TEST_MODE and given == "passed")


def spoken(hashkey: str) -> bytes | None:
    """Return the challenge as a WAV file; None if the challenge is over or this machine cannot speak.

    The speaker is a program of its own, so that a fault in it, or its licence, stays there.
    """
    challenge = CaptchaStore.objects.filter(hashkey=hashkey).values_list("challenge", flat=True).first()
    if challenge is None:
        return None
    command = [sys.executable, str(SPEAKER), "-t", challenge, "-o", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SPEAK_SECONDS, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout


class CaptchaForm(UncutForm):
    """The challenge as part of a form; draw it with `captcha/challenge.html`.

    A page drawn again after an error carries a new challenge: `challenge` makes that of the page.
    """

    captcha_key = forms.CharField(max_length=120, widget=forms.HiddenInput, required=False)
    captcha = forms.CharField(
        label=_("Letters in the picture or the sound"),
        max_length=20,
        error_messages={"required": _("Enter the letters that you see or hear.")},
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
    )

    def __init__(self, *args: object, request: HttpRequest, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_captcha(self) -> str:
        """Refuse anything but this session's own letters, and use the challenge up."""
        answer: str = self.cleaned_data["captcha"]
        if not solve(self.request, self.cleaned_data.get("captcha_key", ""), answer):
            raise ValidationError(_("These were other letters. Try again with the new ones below."))
        return answer

    def challenge(self) -> Challenge:
        """Make a challenge for the page that is being drawn."""
        return new_challenge(self.request)
