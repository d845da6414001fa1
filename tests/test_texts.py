"""Every text that a person reads is there in both languages, says what it must, and nothing it must not."""

import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shop import languages
from shop.up.state import ROOT
from tests.texts import Text, path, read

CHINESE = "zh_Hans"
TRANSLATED = [folder for code, folder in languages.folders().items() if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|<[^>]+>")
BANNED = re.compile(
    r"\b(please|sorry|oops|invalid|valid|forbidden|illegal|hurry|click here)\b|!|\.\.\.", re.IGNORECASE
)
BANNED_CHINESE = re.compile(r"请(?!求)|抱歉|对不起|哎呀|无效|非法|禁止访问|赶快|点击这里|！|!|\.\.\.")
NEVER_ONE = {
    "Variant SKU “%(sku)s” stands on %(count)d rows; each variant has its own.",
    "%(days)d days and more",
    "Accounts younger than %(days)d days: %(count)s.",
    "%(seconds)d seconds to pay are too few for somebody who types an address: give at least two minutes.",
    "under %(days)d days",
    "Rehearsed with %(n)d shoppers.",
    "Rehearsed with %(n)d shoppers and a farm of %(farm)d accounts.",
}
SOURCES = ("accounts", "flashsale", "shop", "templates", "locale")


every_language = pytest.mark.parametrize("language", TRANSLATED)


def texts(language: str = CHINESE) -> list[Text]:
    return read(path(language))


def test_every_text_in_the_code_is_collected() -> None:
    """Under a name of its own a function of gettext is unknown to the collector: its texts stay English."""
    renamed = re.compile(r"\b\w*gettext\w* as (?!_\b)\w+")
    files = [file for folder in SOURCES for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    assert [file.name for file in files if renamed.search(file.read_text("utf-8"))] == []
    assert renamed.search("from django.utils.translation import gettext as _text")


@every_language
def test_no_text_is_missing_or_guessed(language: str) -> None:
    lacking = [text.source for text in texts(language) if not all(text.said) or "fuzzy" in text.flags]
    assert lacking == []


@every_language
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    with path(language, "mo").open("rb") as compiled:
        known = gettext.GNUTranslations(compiled)
    for text in texts(language):
        context, source = text.parts.get("msgctxt"), text.parts["msgid"]
        if "msgid_plural" in text.parts:
            said = known.ngettext(source, text.parts["msgid_plural"], 2)
        else:
            said = known.pgettext(context, source) if context else known.gettext(source)
        assert [said] == text.said


def test_every_text_of_the_code_is_in_both_files(tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        pytest.skip("gettext is not installed here.")
    for name in SOURCES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("tests"))
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "makemessages", "--all", "--no-location"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    for language in languages.folders().values():
        in_code = {text.source for text in read(tmp_path / path(language).relative_to(ROOT))}
        assert len(in_code) > 1000
        assert in_code - {text.source for text in read(path(language))} == set()


@every_language
def test_placeholders_and_markup_are_the_same_in_both_languages(language: str) -> None:
    for text in texts(language):
        for said in text.said:
            assert sorted(PLACEHOLDER.findall(said)) == sorted(PLACEHOLDER.findall(text.source)), text


def test_no_text_blames_begs_or_shouts() -> None:
    for text in texts():
        sources = [part for name, part in text.parts.items() if name.startswith("msgid")]
        assert [source for source in sources if BANNED.search(source)] == []
        assert [said for said in text.said if BANNED_CHINESE.search(said)] == []


def test_a_count_in_a_sentence_has_its_plural() -> None:
    # “3 units”, “3 minutes”: a number before a plain noun needs both forms.
    counted = re.compile(r"%\((?:count|number|n|units|days|minutes|seconds)\)d \w+s\b")
    lacking = [
        text.source for text in texts() if counted.search(text.source) and "msgid_plural" not in text.parts
    ]
    assert set(lacking) <= NEVER_ONE


def test_chinese_is_written_in_chinese() -> None:
    same = [text.source for text in texts() if text.source in text.said and len(text.source) > 3]
    assert same == []
