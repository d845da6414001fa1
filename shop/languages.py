"""The languages of the shop: English, in which the texts stand, and each folder of `locale/`.

Nothing else lists them: a new one needs its `.po` file, compiled (`make messages`).
"""

from pathlib import Path

from django.conf.locale import LANG_INFO

FOLDER = Path(__file__).resolve().parent.parent / "locale"


def folders(where: Path = FOLDER) -> dict[str, str]:
    """Return the folder of each language by the name that browsers use: `zh-hans` is in `zh_Hans`."""
    found = sorted(file.parent.parent.name for file in where.glob("*/LC_MESSAGES/django.po"))
    return {name.lower().replace("_", "-"): name for name in found}


def named(where: Path = FOLDER) -> list[tuple[str, str]]:
    """Return each language with the name that it gives itself."""
    return [(code, LANG_INFO[code]["name_local"]) for code in folders(where)]


def accepted(codes: list[str]) -> dict[str, str]:
    """Return which language is for readers whose browsers ask first for `zh-hans`, or for any `zh`.

    The longest comes first, as the edge takes the first that fits; whoever fits none reads English.
    """
    wanted = {code: code for code in codes} | {code.partition("-")[0]: code for code in reversed(codes)}
    return {asked: wanted[asked] for asked in sorted(wanted, key=len, reverse=True) if asked != "en"}
