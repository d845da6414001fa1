"""HTML that came from outside: a supplier's file or the admin."""

import nh3

WORDS = {"a", "b", "br", "em", "i", "strong", "u"}
BLOCKS = {"blockquote", "h2", "h3", "h4", "hr", "li", "ol", "p", "ul"}
TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
LONGEST = 100_000
"""Characters of the longest description; PostgreSQL cannot index a much longer one."""


def clean(html: str) -> str:
    """Keep words, lists, tables and web links; drop scripts, styles, pictures and every other tag."""
    return nh3.clean(
        html,
        tags=WORDS | BLOCKS | TABLES,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    ).strip()
