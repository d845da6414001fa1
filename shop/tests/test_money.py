"""Money in words and figures."""

import pytest
from django.template import Context, Template
from pytest_django import Settings

from shop import money


@pytest.mark.parametrize(
    ("amount", "text"),
    [(4900, "USD 49.00"), (0, "USD 0.00"), (5, "USD 0.05"), (123456789, "USD 1,234,567.89")],
)
def test_an_amount_is_drawn_with_its_currency(amount: int, text: str) -> None:
    assert money.draw(amount) == text


def test_a_currency_without_minor_units_has_no_decimals(settings: Settings) -> None:
    settings.SHOP_CURRENCY = "JPY"
    assert money.draw(4900) == "JPY 4,900"
    assert money.minor("4900") == 4900


@pytest.mark.parametrize(
    ("text", "amount"), [("49", 4900), ("9.99", 999), ("0.5", 50), (" 7 ", 700), ("0", 0)]
)
def test_a_written_amount_becomes_minor_units(text: str, amount: int) -> None:
    assert money.minor(text) == amount


@pytest.mark.parametrize("text", ["", "free", "1,50", "9.999", "NaN", "Infinity", "1e999999999"])
def test_what_is_no_amount_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^“.*” is not an amount such as 49\.00\.$"):
        money.minor(text)


@pytest.mark.parametrize("text", ["-1", "21474836.48", "1e50"])
def test_an_amount_out_of_bounds_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not between 0 and USD 21,474,836\.47\.$"):
        money.minor(text)


def test_the_filters_draw_for_people_and_for_machines() -> None:
    page = Template("{% load shop %}{{ 4900|money }} {{ 4900|major }} {{ none|money }}")
    assert page.render(Context({"none": None})) == "USD 49.00 49.00 "


def test_the_prose_filter_keeps_words_and_drops_scripts() -> None:
    page = Template("{% load shop %}{{ text|prose }}")
    text = '<p onclick="x()">A <b>lamp</b></p><script>steal()</script><img src=x><a href="javascript:x">l</a>'
    drawn = page.render(Context({"text": text}))
    assert drawn == '<p>A <b>lamp</b></p><a rel="noopener noreferrer nofollow">l</a>'
