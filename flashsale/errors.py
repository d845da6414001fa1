"""What can be refused in a sale; each error carries one sentence for the person who asked."""


class SaleError(Exception):
    """A refusal with a sentence that may be shown."""


class SchedulingError(SaleError):
    """The sale cannot be scheduled, changed or closed as asked."""


class UnreadableList(SaleError):
    """A file of addresses cannot be read as a whole."""


class Silent(SaleError):
    """The sale's memory does not answer."""


class Stale(SaleError):
    """Somebody else did something to the sale since this page was drawn; the sentence says who and what."""
