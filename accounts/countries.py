"""Countries that something may be sent to: ISO 3166 codes and names, and which of them have no postcodes."""

from pathlib import Path

COUNTRIES: tuple[tuple[str, str], ...] = tuple(
    (line[:2], line[3:])
    for line in Path(__file__).with_name("countries.txt").read_text(encoding="utf-8").splitlines()
)
NAMES = dict(COUNTRIES)
NO_POSTCODES = """
    AE AG AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GQ GY HK JM KI KM KN KP LC
    ML MO MR MW NR NU QA RW SB SC SL SR ST SX SY TD TG TK TL TO TT TV UG VU YE ZW
"""
WITHOUT_POSTCODES = frozenset(NO_POSTCODES.split())
