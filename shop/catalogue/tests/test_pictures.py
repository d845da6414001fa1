"""Where pictures are shown from."""

import pytest

from shop.catalogue import pictures


@pytest.mark.parametrize("source", ["https://example.com/a.jpg", "http://example.com/a.jpg", "ftp://a/b.jpg"])
def test_a_picture_elsewhere_is_shown_as_the_neutral_one(source: str) -> None:
    assert pictures.address(source) == "/static/products/placeholder.svg"


def test_our_own_picture_is_a_static_file() -> None:
    assert pictures.address("products/storm-lantern.svg") == "/static/products/storm-lantern.svg"


def test_a_file_that_was_not_collected_does_not_break_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def hashed(name: str) -> str:
        if name != pictures.PLACEHOLDER:
            raise ValueError(f"Missing staticfiles manifest entry for '{name}'")
        return "/static/products/placeholder.0123.svg"

    monkeypatch.setattr(pictures, "static", hashed)
    assert pictures.address("products/lost.svg") == "/static/products/placeholder.0123.svg"
