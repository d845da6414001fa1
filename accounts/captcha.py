"""The check against robots: letters as a picture or as sound, bound to a session, good for one try."""

import secrets
import subprocess
import sys
from pathlib import Path

from captcha.models import CaptchaStore
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # none that looks like a digit or like another one
LENGTH = 5
OPEN_CHALLENGES = 5  # tabs of one browser that may each have a challenge of their own
SESSION_KEY = "captcha"
SPEAKER = Path(__file__).with_name("speak.py")
SPEAK_SECONDS = 5


def random_letters() -> tuple[str, str]:
    """Return what is drawn and what is to be typed; the library draws both alike from predictable numbers."""
    text = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return text, text.lower()


def new_challenge(request: HttpRequest) -> str:
    """Store a challenge that only this session can solve; return its key."""
    key: str = CaptchaStore.generate_key(random_letters)
    request.session[SESSION_KEY] = [*request.session.get(SESSION_KEY, []), key][-OPEN_CHALLENGES:]
    return key


def is_mine(request: HttpRequest, key: str) -> bool:
    """Whether this session was given the challenge."""
    return key in request.session.get(SESSION_KEY, [])


def _take(key: str) -> str | None:
    """Remove a challenge and return what was to be typed; None if it is over or somebody took it before.

    Two posts of one solution meet here: the row goes in the statement that reads it, so one of them has it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM captcha_captchastore WHERE hashkey = %s RETURNING response, expiration > %s",
            [key, timezone.now()],
        )
        row = cursor.fetchone()
    return row[0] if row and row[1] else None


def solve(request: HttpRequest, key: str, answer: str) -> bool:
    """Use up a challenge of this session; True if the answer was right. There is no second try either way.

    Call it outside a transaction: one that is rolled back would give the challenge back.
    """
    if not is_mine(request, key):
        return False
    expected = _take(key)
    if expected is None:
        return False
    given = "".join(answer.split()).lower()
    return given == expected or (settings.CAPTCHA_TEST_MODE and given == "passed")


def spoken(key: str) -> bytes | None:
    """Return the challenge as a WAV file; None if the challenge is over or this machine cannot speak.

    The speaker is a program of its own, so that a fault in it, or its licence, stays there.
    """
    challenge = CaptchaStore.objects.filter(hashkey=key).values_list("challenge", flat=True).first()
    if challenge is None:
        return None
    command = [sys.executable, str(SPEAKER), "-t", challenge, "-o", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SPEAK_SECONDS, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout


class CaptchaForm(forms.Form):
    """The challenge as part of a form; draw it with `captcha/challenge.html`.

    A page drawn again after an error carries a new challenge: `challenge_key` makes that of the page.
    """

    captcha_key = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)
    captcha = forms.CharField(
        label=_("Letters in the picture or the sound"),
        max_length=20,
        error_messages={"required": _("Enter the letters that you see or hear.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: object, request: HttpRequest, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.request = request

    def clean_captcha(self) -> str:
        """Refuse anything but this session's own letters, and use the challenge up."""
        answer: str = self.cleaned_data["captcha"]
        if not solve(self.request, self.cleaned_data.get("captcha_key", ""), answer):
            raise ValidationError(_("These were other letters. Try again with the new ones below."))
        return answer

    def challenge_key(self) -> str:
        """Make a challenge for the page that is being drawn."""
        return new_challenge(self.request)
