"""Where a product's picture is shown from."""

from django.templatetags.static import static

PLACEHOLDER = "products/placeholder.svg"


def is_own(source: str) -> bool:
    """Whether a picture is a static file of the shop, such as `products/lamp.svg`."""
    return "://" not in source


def address(source: str) -> str:
    """The address that a page may load for a picture.

    An imported catalogue names pictures on other hosts. The content security policy allows the shop's own
    only (`img-src 'self'`), and a shopper's visit is nobody else's business: such a picture is shown as a
    neutral one of ours, with the alternative text of the real one. The same stands in for a missing file.
    """
    try:
        return static(source if is_own(source) else PLACEHOLDER)
    except ValueError:
        return static(PLACEHOLDER)
