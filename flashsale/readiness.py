"""What a shopper can have done before a sale opens, so that paying is one press while his time runs."""

from dataclasses import dataclass

from accounts.models import Address, User
from flashsale.models import Sale


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far somebody is; `address` is that of the order to come, `is_shipped` whether it needs one."""

    user: User | None
    address: Address | None
    is_shipped: bool
    entered: bool

    @property
    def steps(self) -> dict[str, bool]:
        """The open and the done things, in their order."""
        has_address = self.address is not None or not self.is_shipped
        return {"login": self.user is not None, "address": has_address, "pay": True, "entry": self.entered}

    @property
    def done(self) -> int:
        return sum(self.steps.values())

    @property
    def first_open(self) -> str:
        """The name of the first thing to do; empty when all is done."""
        return next((name for name, is_done in self.steps.items() if not is_done), "")


def of(*, sale: Sale, user: User | None, entered: bool) -> Readiness:
    """Look at how ready somebody is for a sale whose items are loaded."""
    address = Address.objects.filter(user=user, is_default=True).first() if user else None
    is_shipped = any(item.is_shipped for item in sale.items.all())
    return Readiness(user=user, address=address, is_shipped=is_shipped, entered=entered)
