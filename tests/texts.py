"""The files of translated texts (.po), read as far as the tests need them."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from shop.up.state import ROOT

KEYWORDS = ("msgctxt", "msgid_plural", "msgid", "msgstr")


@dataclass
class Text:
    """One entry: what stands in the code, and how it is said in the language of the file."""

    flags: str = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The text in the code; of a pair the plural."""
        return self.parts.get("msgid_plural") or self.parts["msgid"]

    @property
    def said(self) -> list[str]:
        """The translations: one, or one for each plural form."""
        return [text for name, text in self.parts.items() if name.startswith("msgstr")]


def path(language: str, kind: str = "po") -> Path:
    """Return the file of a language, `po` to read and `mo` compiled."""
    return ROOT / "locale" / language / "LC_MESSAGES" / f"django.{kind}"


def read(file: Path) -> list[Text]:
    """Return the entries of a .po file without its header; what is no longer used is passed over."""
    found = [_entry(block) for block in file.read_text("utf-8").split("\n\n")]
    return [text for text in found if text.parts.get("msgid")]


def _entry(block: str) -> Text:
    text, name = Text(), ""
    for line in block.splitlines():
        if line.startswith("#,"):
            text.flags = line
        keyword = line.partition(" ")[0]
        if keyword.partition("[")[0] in KEYWORDS:
            name = keyword
            text.parts[name] = ""
        if name and not line.startswith("#"):
            text.parts[name] += ast.literal_eval(line[line.index('"') :])
    return text
