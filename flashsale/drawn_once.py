"""A page that is the same for a crowd but for a few values: drawn once, then filled for each.

Drawing a page costs more than everything else that a shopper needs on the way into a sale.
"""

import re
import secrets
from collections.abc import Callable
from typing import NamedTuple

from django.core.cache import caches
from django.utils.html import escape

SECONDS = 5
"""For so long a drawn page is kept: a sale that was changed looks as before for as long."""


class Own(NamedTuple):
    """What differs between two shoppers: the CSRF token, where to go on to, the challenges."""

    token: str
    next: str
    key: str
    picture: str
    work: str


# Nobody can write a mark into a title or an address: they are made anew with each process.
MARKS = Own(*(secrets.token_hex(12) for _ in Own._fields))
_PLACES = re.compile("|".join(MARKS))


def page(name: str, own: Own, draw: Callable[[], str]) -> str:
    """Return the page `name` with what is `own` in it; `draw` draws it with `MARKS` in the places."""
    kept = caches["process"].get(name)
    if kept is None:
        drawn = draw()
        kept = _PLACES.split(drawn), [MARKS.index(mark) for mark in _PLACES.findall(drawn)]
        caches["process"].set(name, kept, SECONDS)
    texts, places = kept
    values = [escape(value) for value in own]
    pieces = [piece for text, place in zip(texts, places, strict=False) for piece in (text, values[place])]
    return "".join([*pieces, texts[-1]])
