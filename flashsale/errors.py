"""What can be refused in a sale; each error carries one sentence for the person who asked."""


class SaleError(Exception):
    """A refusal with a sentence that may be shown."""


class SchedulingError(SaleError):
    """The sale cannot be scheduled, changed or closed as asked."""
