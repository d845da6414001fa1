"""A state of a sale's pages as the tests look at it."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import User
from flashsale.models import SaleItem


@dataclass(frozen=True, slots=True)
class Staged:
    """A page to look at: its address, who looks, its main heading (a pattern), and its HTTP status.

    `looks_again` says that the page without script reloads itself; `action` names its next action. What a
    script asks at an address like `unanswered` is still on its way while the page is looked at.
    """

    path: str
    user: User | None
    heading: str
    action: str
    status: int = 200
    looks_again: bool = False
    unanswered: str = ""


@dataclass(frozen=True, slots=True)
class Cast:
    """What a state is made of."""

    make_sale: Callable[..., SaleItem]
    shoppers: Callable[[int], list[User]]
