"""A state of a sale's pages as the tests look at it."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import User
from flashsale.models import SaleItem


@dataclass(frozen=True, slots=True)
class Staged:
    """A page to look at: its address, who looks, its main heading (a pattern), and its HTTP status.

    `looks_again` says that the page without script reloads itself; `action` names its next action. What a
    script asks at an address like `unanswered` is still on its way while the page is looked at, and at one
    like `cut` it fails; a page with script shows its state once `shows` is visible. `entered` is a sale in
    which the shopper has a pass.
    """

    path: str
    user: User | None
    heading: str
    action: str
    status: int = 200
    looks_again: bool = False
    unanswered: str = ""
    cut: str = ""
    shows: str = "h1"
    entered: SaleItem | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """What a state is made of."""

    make_sale: Callable[..., SaleItem]
    shoppers: Callable[[int], list[User]]
