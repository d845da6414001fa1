"""The panel of a sale's page in the admin that answers why nobody was promoted; only to be read."""

from typing import Any

from django.utils.translation import gettext as _

from flashsale import promotions
from flashsale.models import Sale, StandbyEntry
from flashsale.promotions import History


def panel(sale: Sale) -> dict[str, Any]:
    """Return the table and the sentences of the panel; nothing for a sale that never had standby."""
    histories = promotions.of(sale=sale)
    if not sale.standby_size and not any(one.places for one in histories):
        return {}
    headers = [_("Item"), _("Free"), _("Standby"), _("Came free"), _("Promoted"), _("Passed over"), _("Left")]
    return {
        "standby_title": _("Standby: who was promoted, and why nobody else"),
        "standby_table": {"headers": headers, "rows": [_row(one) for one in histories]},
        "standby_words": [(one.item.variant, promotions.why(one)) for one in histories],
    }


def _row(one: History) -> list[Any]:
    free = one.units.free if one.units else "–"
    passed_over, left = sum(one.refusals.values()), one.places[StandbyEntry.Status.LEFT]
    return [one.item.variant, free, one.waiting, one.came_free, one.promoted, passed_over, left]
