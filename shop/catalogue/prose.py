"""HTML that came from outside: a supplier's file or the admin."""

import nh3

TAGS = set("a b blockquote br em h2 h3 h4 hr i li ol p strong table tbody td th thead tr u ul".split())


def clean(html: str) -> str:
    """Keep words, lists, tables and web links; drop scripts, styles, pictures and every other tag."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    ).strip()
