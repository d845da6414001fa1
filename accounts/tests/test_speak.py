"""The captcha's sound: audible, different, and spoken on any machine."""

import shutil
import wave
from io import BytesIO
from pathlib import Path

import pytest
from captcha.models import CaptchaStore
from django.test import Client
from django.urls import reverse

from accounts import captcha, speak


def _loudness(sound: bytes) -> tuple[float, int]:
    """Seconds of sound, and how many of them in tenths are not silent."""
    with wave.open(BytesIO(sound)) as file:
        rate, samples = file.getframerate(), file.readframes(file.getnframes())
    tenth = rate // 10 * 2
    parts = [memoryview(samples[n : n + tenth]).cast("h") for n in range(0, len(samples) - tenth, tenth)]
    return len(samples) / 2 / rate, sum(max(map(abs, part)) > 500 for part in parts)


def test_the_sound_spells_the_letters(client: Client, key: str) -> None:
    sound = client.get(reverse("captcha-audio", args=[key]))
    assert (sound.status_code, sound["Content-Type"]) == (200, "audio/wav")
    seconds, tenths = _loudness(sound.content)
    assert 3 < seconds < 30
    assert tenths > 20


def test_the_sound_is_spoken_for_its_own_session_only(client: Client, key: str) -> None:
    assert Client().get(reverse("captcha-audio", args=[key])).status_code == 404


def test_other_letters_sound_different(db: None) -> None:
    keys = [CaptchaStore.generate_key(lambda text=text: (text, text)) for text in ("KWXTR", "ABCDE")]
    assert captcha.spoken(keys[0]) != captcha.spoken(keys[1])


def test_a_machine_that_cannot_speak_says_so(
    client: Client, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(captcha, "SPEAKER", tmp_path / "missing.py")
    assert client.get(reverse("captcha-audio", args=[key])).status_code == 404


def test_letters_are_spelled_so_that_they_cannot_be_misheard() -> None:
    assert speak.spelled("kb2") == "K, as in Kilo.  B, as in Bravo.  2."


def test_without_the_wheel_the_program_of_the_system_speaks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "flite"
    program.write_text('#!/bin/sh\nprintf "%s" "$2" > "$4"\n')
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program) if name == "flite" else None)
    assert speak.with_the_system("K, as in Kilo.") == b"K, as in Kilo."
