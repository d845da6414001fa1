"""The three pages that the edge shows by itself, in each language of the shop."""

import gettext
from html import escape

from shop import languages

LANGUAGES = languages.folders()
"""Each language as browsers name it, and its folder; `maps.conf` chooses among them."""


def texts(language: str) -> dict[str, dict[str, str]]:
    """Return title, lede, text, head and foot of each page; `language` is one of LANGUAGES."""
    _ = gettext.translation("django", languages.FOLDER, [LANGUAGES[language]], fallback=True).gettext
    kept = _("Orders, reservations and places in line are kept on our side.")
    again = '<meta http-equiv="refresh" content="%s">'
    return {
        "busy": {
            "title": escape(_("Many people are coming in")),
            "lede": escape(_("You will get in as soon as there is room. This page goes on by itself.")),
            "text": escape(_("You need not reload it. Whoever was let into the sale before is not held up.")),
            "head": f'<script type="module" src="/edge/busy.js"></script><noscript>{again % 15}</noscript>',
            "foot": "",
        },
        "429": {
            "title": escape(_("Too many tries")),
            "lede": escape(_("You can try again in one second.")),
            "text": escape(_("The limit keeps robots out.") + " " + kept),
            "head": "",
            "foot": f'<p><a href="">{escape(_("Try again"))}</a></p>',
        },
        "503": {
            "title": escape(_("The shop is not ready at the moment")),
            "lede": escape(_("You can try again in five seconds.")),
            "text": escape(kept + " " + _("Reloading this page does no harm.")),
            "head": "",
            "foot": f'<p><a href="">{escape(_("Try again"))}</a></p>',
        },
    }
