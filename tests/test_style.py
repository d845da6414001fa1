"""The style sheet and the pictures keep the rules of the house."""

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHEET = (ROOT / "static/css/shop.css").read_text()
COCKPIT = (ROOT / "static/css/cockpit.css").read_text()
WITHOUT_COMMENTS = re.sub(r"/\*.*?\*/", "", SHEET, flags=re.DOTALL)
TOKENS, REST = re.match(r"\s*(:root \{.*?\n\})(.*)", WITHOUT_COMMENTS, re.DOTALL).groups()  # type: ignore[union-attr]
PICTURES = sorted((ROOT / "static/products").glob("*.svg"))
MAILS = {"email", "mail", "letters"}  # mail programs know no style sheets
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if not MAILS & set(path.parts))
SCRIPTS = sorted((ROOT / "static/js").glob("*.js"))

MORE_THAN_DRAWING = re.compile(
    r"<(?:script|text|image|use|foreignObject|style|a)\b|\bon\w+=|href|font|data:|url\((?!#)"
)
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|light-dark)\(")
NAMED_COLOUR = re.compile(
    r":[^;{}]*\b(?:black|white|gr[ae]y|silver|red|green|blue|orange|yellow|teal|navy)\b"
)
PHYSICAL = re.compile(
    r"(?<![\w-])(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right|top|bottom)\b"
    r"|(?<![\w-])(?:left|right|top|bottom)\s*:"
    r"|text-align:\s*(?:left|right)|float:\s*(?:left|right)"
)
TEXT, MARK = 4.5, 3.0
MARKS = ("paid", "held", "free", "returned", "warn", "bad", "other")  # of the cockpit's charts
GROUNDS = ("canvas", "surface", "sunken")
ROLES = ("text", "muted", "accent", "accent-hover", "live", "good", "warn", "bad", "info")
PAIRS = [
    *[(role, ground, TEXT) for role in ROLES for ground in GROUNDS],
    *[(role, f"{role}-tint", TEXT) for role in ("live", "good", "warn", "bad", "info")],
    *[("text", f"{role}-tint", TEXT) for role in ("live", "good", "warn", "bad", "info")],
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    *[("control", ground, MARK) for ground in GROUNDS],
]


def token(name: str, scheme: str) -> str:
    """The hexadecimal colour of a token in a scheme."""
    found = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\);", TOKENS)
    assert found, name
    return found[1] if scheme == "light" else found[2]


def luminance(colour: str) -> float:
    """Relative luminance of `#RRGGBB`, 0 to 1, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#FFFFFF") == 21.0
    assert round(contrast("#767676", "#FFFFFF"), 2) == 4.54


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS, ids=str)
def test_every_pair_of_tokens_can_be_read(front: str, ground: str, least: float, scheme: str) -> None:
    assert contrast(token(front, scheme), token(ground, scheme)) >= least


@pytest.mark.parametrize("scheme", [".cockpit", ".dark .cockpit"])
def test_every_mark_of_a_chart_stands_out_of_its_card(scheme: str) -> None:
    found = re.search(rf"^{re.escape(scheme)} \{{(.*?)\}}", COCKPIT, re.DOTALL | re.MULTILINE)
    assert found
    colours = dict(re.findall(r"--c-(\w+): (#\w{6});", found[1]))
    card = colours.pop("card")
    least = {"ink": TEXT, "quiet": TEXT, "rule": 0.0} | dict.fromkeys(MARKS, MARK)
    assert colours.keys() == least.keys()
    weak = {name for name, colour in colours.items() if contrast(colour, card) < least[name]}
    assert weak == set()


def test_no_colour_stands_outside_the_tokens() -> None:
    assert COLOUR.findall(REST) == []
    assert NAMED_COLOUR.findall(REST) == []


def test_every_token_that_is_used_is_defined() -> None:
    used = set(re.findall(r"var\(--([\w-]+)", WITHOUT_COMMENTS))
    defined = set(re.findall(r"--([\w-]+):", WITHOUT_COMMENTS))
    assert used - defined == set()


def test_text_is_never_sized_in_pixels() -> None:
    assert re.findall(r"font(?:-size)?:[^;]*\d+px|--size-[\w-]+:[^;]*\d+px", WITHOUT_COMMENTS) == []


def test_the_sheet_knows_start_and_end_but_neither_left_nor_right() -> None:
    assert PHYSICAL.findall(WITHOUT_COMMENTS) == []


@pytest.mark.parametrize("wrong", ["margin-left: 0", "right: 0", "text-align: right", "padding-bottom: 1rem"])
def test_the_search_for_left_and_right_finds_them(wrong: str) -> None:
    assert PHYSICAL.search(f"a {{ {wrong} }}")


def test_nothing_moves_for_long_or_again_and_again() -> None:
    assert "infinite" not in WITHOUT_COMMENTS
    assert "@keyframes" not in WITHOUT_COMMENTS
    assert re.findall(r"--(?:state|reveal): (\d+)ms", TOKENS) == ["120", "200"]
    assert "prefers-reduced-motion: reduce) { :root { --state: 0ms; --reveal: 0ms; } }" in SHEET


def test_the_sheet_serves_readers_with_colours_of_their_own() -> None:
    assert "@media (forced-colors: active)" in SHEET


def test_the_sheet_stays_within_sixteen_kilobytes_compressed() -> None:
    assert len(gzip.compress(SHEET.encode(), 9)) <= 16 * 1024


def test_the_script_of_an_ordinary_page_stays_within_four_kilobytes_compressed() -> None:
    ordinary = [path.read_bytes() for path in SCRIPTS if path.name in {"base.js", "announcer.js"}]
    assert len(ordinary) == 2
    assert sum(len(gzip.compress(script, 9)) for script in ordinary) <= 4 * 1024


def test_there_are_enough_pictures() -> None:
    assert len(PICTURES) >= 28


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_only_draws(picture: Path) -> None:
    drawing = picture.read_text()
    assert 'viewBox="0 0 800 800"' in drawing
    assert len(gzip.compress(drawing.encode(), 9)) <= 6 * 1024
    assert MORE_THAN_DRAWING.findall(drawing) == []
    assert 1 < len(set(re.findall(r"#[0-9A-F]{6}", drawing))) <= 12


def test_all_pictures_share_one_palette() -> None:
    colours = {colour for path in PICTURES for colour in re.findall(r"#[0-9A-Fa-f]{6}", path.read_text())}
    assert len(colours) <= 12


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_brings_no_style_or_script_of_its_own(template: Path) -> None:
    markup = template.read_text()
    assert re.findall(r"<style\b|\sstyle=|\son(?:click|submit|load|change|input)=", markup) == []
    assert re.findall(r"<script\b(?![^>]*\bsrc=)(?![^>]*\btype=\"application/(?:ld\+)?json\")", markup) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_image_says_how_large_it_is(template: Path) -> None:
    images = re.findall(r"<img\b.*?>", re.sub(r"\{%.*?%\}", "", template.read_text()), re.DOTALL)
    assert [tag for tag in images if "width=" not in tag or "height=" not in tag or "alt=" not in tag] == []
