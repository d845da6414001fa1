"""The one sheet of the shop: its colours can be told apart, and it works in every direction of writing."""

import re

import pytest
from playwright.sync_api import Browser

from shop.up.state import ROOT
from tests.conftest import DESK, sideways

SHEET = (ROOT / "static" / "css" / "shop.css").read_text("utf-8")
TOKENS, RULES = re.split(r"(?<=\n\}\n)", SHEET, maxsplit=1)
GROUNDS = ("canvas", "surface", "sunken")
WORDS = ("text", "muted", "accent", "accent-hover", "live", "good", "warn", "bad", "info")
TINTED = ("live", "good", "warn", "bad", "info")
PAIRS = [(word, ground, 4.5) for word in WORDS for ground in GROUNDS]
PAIRS += [(word, f"{word}-tint", 4.5) for word in TINTED]
PAIRS += [("text", f"{word}-tint", 4.5) for word in TINTED]
PAIRS += [("on-accent", ground, 4.5) for ground in ("accent", "accent-hover")]
PAIRS += [("control", ground, 3.0) for ground in GROUNDS]


def colours(scheme: int) -> dict[str, str]:
    """Return the tokens of the light (0) or the dark (1) scheme."""
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS)
    return {name: pair[scheme] for name, *pair in found}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_reckoned_as_the_standard_does() -> None:
    assert round(contrast("#000000", "#FFFFFF"), 2) == 21
    assert round(contrast("#767676", "#FFFFFF"), 2) == 4.54


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_and_controls_stand_out(scheme: int) -> None:
    tokens = colours(scheme)
    weak = [
        (one, ground, round(contrast(tokens[one], tokens[ground]), 2))
        for one, ground, least in PAIRS
        if contrast(tokens[one], tokens[ground]) < least
    ]
    assert weak == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"#[0-9A-Fa-f]{3,8}\b(?=[^{}]*\})",  # a colour outside the tokens
        r"\b(?:rgb|hsl|oklch)a?\(",
        r"\b(?:margin|padding|border|inset)-(?:left|right|top|bottom)\b",
        r"text-align:\s*(?:left|right)",
        r"(?<![\w-])(?:left|right|top|bottom):",
        r"font-size:\s*[\d.]+px",
        r"@import|@font-face|url\(",
        r"animation[^;}]*infinite",
    ],
)
def test_the_sheet_keeps_to_tokens_and_to_logical_sides(pattern: str) -> None:
    assert re.findall(pattern, RULES) == []


@pytest.mark.browser
def test_a_page_written_from_right_to_left_stays_within_the_edge(chromium: Browser, shop: str) -> None:
    page = chromium.new_page(base_url=shop, viewport=DESK)
    for address in ("/", "/catalogue/", "/help/"):
        page.goto(address)
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert not sideways(page), address


@pytest.mark.browser
@pytest.mark.parametrize(("motion", "longest"), [("reduce", 0), ("no-preference", 320)])
def test_nothing_moves_for_long_and_nothing_at_all_where_that_is_wished(
    chromium: Browser, shop: str, motion: str, longest: int
) -> None:
    page = chromium.new_page(base_url=shop, viewport=DESK, reduced_motion=motion)  # type: ignore[arg-type]
    page.goto("/")
    page.hover(".product-card >> nth=0")
    running = "document.getAnimations().map((one) => one.effect.getComputedTiming().endTime)"
    assert all(length <= longest for length in page.evaluate(running))


@pytest.mark.browser
def test_colours_chosen_by_the_reader_keep_borders_and_what_is_chosen(chromium: Browser, shop: str) -> None:
    page = chromium.new_page(base_url=shop, viewport=DESK, forced_colors="active")
    page.goto("/search/?q=arc+desk+lamp")
    page.click(".product-card-title a")
    style = "(one) => [getComputedStyle(one).borderStyle, getComputedStyle(one).outlineStyle]"
    assert page.locator("main .button").first.evaluate(style)[0] == "solid"
    assert page.locator(".option:has(:checked)").first.evaluate(style)[1] == "solid"
