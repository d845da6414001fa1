"""Money: whole minor units inside, decimals for people. The shop has one currency."""

from decimal import Decimal

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

NO_MINOR_UNIT = {"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"}
LARGEST = 2_147_483_647
"""The largest amount a column holds, in minor units."""


def decimals() -> int:
    """Digits behind the point in the shop's currency: 2 for USD, 0 for JPY."""
    return 0 if settings.SHOP_CURRENCY in NO_MINOR_UNIT else 2


def major(amount: int) -> Decimal:
    """Minor units as the decimal that people write: 4900 is 49.00."""
    return Decimal(amount).scaleb(-decimals())


def draw(amount: int) -> str:
    """Minor units as text with the currency's code: 4900 is `USD 49.00`."""
    number = number_format(major(amount), decimals(), use_l10n=True, force_grouping=True)
    return f"{settings.SHOP_CURRENCY} {number}"


def minor(text: str | Decimal) -> int:
    """A written amount such as `49.00` in minor units; raises ValueError with a sentence for the reader."""
    try:
        amount = Decimal(text).scaleb(decimals())
    except ArithmeticError:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError(_("“%(text)s” is not an amount such as 49.00.") % {"text": text})
    if not 0 <= amount <= LARGEST:
        bounds = {"text": text, "most": draw(LARGEST)}
        raise ValueError(_("“%(text)s” is not between 0 and %(most)s.") % bounds)
    return int(amount)
