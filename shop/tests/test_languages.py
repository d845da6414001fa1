"""A third language needs its `.po` file and nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from shop import languages
from shop.up.state import ROOT

GERMAN = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Help"
msgstr "Hilfe"
"""


@pytest.fixture
def locale(tmp_path: Path) -> Path:
    """The folder of texts with one language more."""
    folder = tmp_path / "locale"
    shutil.copytree(ROOT / "locale", folder)
    german = folder / "de" / "LC_MESSAGES"
    german.mkdir(parents=True)
    (german / "django.po").write_text(GERMAN, "utf-8")
    return folder


def test_every_folder_with_texts_is_a_language(locale: Path) -> None:
    assert languages.folders() == {"en": "en", "zh-hans": "zh_Hans"}
    (locale / "fr").mkdir()
    assert languages.folders(locale) == {"de": "de", "en": "en", "zh-hans": "zh_Hans"}


def test_a_reader_gets_the_nearest_language_at_the_edge_the_longest_name_first() -> None:
    found = languages.accepted(["de", "en", "pt", "pt-br", "zh-hans"])
    assert found == {"zh-hans": "zh-hans", "pt-br": "pt-br", "de": "de", "pt": "pt", "zh": "zh-hans"}
    assert list(found)[:2] == ["zh-hans", "pt-br"]


@pytest.mark.django_db
def test_a_new_file_of_texts_is_a_language_of_the_pages(
    client: Client, locale: Path, settings: Settings
) -> None:
    msgfmt = shutil.which("msgfmt")
    if msgfmt is None:
        pytest.skip("gettext is not installed here.")
    file = locale / "de" / "LC_MESSAGES" / "django"
    subprocess.run([msgfmt, f"{file}.po", "-o", f"{file}.mo"], check=True)
    settings.LOCALE_PATHS = [locale]
    settings.LANGUAGES = languages.named(locale)
    page = client.get("/help/", headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert page["Content-Language"] == "de"
    assert '<a href="/help/">Hilfe</a>' in page.content.decode().split("<footer")[1]
    assert 'value="de" lang="de" aria-current="true">Deutsch</button>' in page.content.decode()
    assert client.get("/help/", headers={"Accept-Language": "zh"})["Content-Language"] == "zh-hans"
