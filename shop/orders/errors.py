"""What can go wrong between the cart and the parcel, each with the sentence that the shopper reads."""

from django.utils.translation import gettext as _

from shop.catalogue.errors import OutOfStock


class Refused(Exception):
    """Something was not done. `sentence` says why, in the shopper's language; nothing has changed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotEnough(Refused):
    """Fewer units are left than were wanted."""


class EmptyCart(Refused):
    """There is nothing to order: the cart is empty, or another window ordered it already."""

    def __init__(self) -> None:
        super().__init__(_("Your cart is empty, so nothing was ordered now."))


class PriceChanged(Refused):
    """The sum is not the one the shopper saw."""

    def __init__(self) -> None:
        super().__init__(
            _("The total has changed since you opened this page. Check it below; nothing was ordered yet.")
        )


class NotPayable(Refused):
    """The order does not await a payment any more."""


class NotCancellable(Refused):
    """The order does not await its payment any more, so that it cannot be cancelled."""


class NotShippable(Refused):
    """The order is not paid, or has left already."""


class KeyReused(Refused):
    """The same idempotency key came with another request."""

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was used for a different request. Use a new one."))


class InProgress(Refused):
    """The first request with this idempotency key has not ended yet."""

    def __init__(self) -> None:
        super().__init__(_("The first request with this Idempotency-Key is still running. Ask again soon."))


def not_enough(trouble: OutOfStock) -> NotEnough:
    """Put a shortage of stock into words, one sentence for each line."""
    return NotEnough(" ".join(shortage(title=line.title, left=line.left) for line in trouble.lines))


def shortage(*, title: str, left: int) -> str:
    """Say how many are left of something that was wanted in a larger number."""
    if left:
        return _("Only %(left)s of “%(title)s” are left.") % {"left": left, "title": title}
    return _("“%(title)s” is sold out.") % {"title": title or _("One of the products")}
