"""The report of a rehearsal, as lines for the terminal and as a table for its page."""

from django.utils.translation import gettext as _

from flashsale.cockpit.pictures import outcome_words
from flashsale.cockpit.scales import number
from flashsale.models import Sale
from flashsale.rehearsal.verdict import Finding, Outcome


def figures(sale: Sale, seen: Outcome) -> list[tuple[str, str]]:
    """Return what was measured, layer by layer, in words."""
    sold_out = _("%(seconds).1f s after the opening") % {"seconds": seen.sold_out_after}
    words = outcome_words()
    refused = ", ".join(f"{words[name]} {number(count)}" for name, count in seen.refusals.items() if count)
    shown = {name: number(value) for name, value in seen.document().items() if isinstance(value, int | float)}
    shown["lag"] = f"{seen.lag:.1f}"
    shown["each"] = f"{seen.answers / seen.store_calls:.1f}" if seen.store_calls else "0"
    sentences = {
        _("Came"): _("%(people)s people and %(bots)s bots"),
        _("Gate"): _("%(answers)s answers, up to %(peak_answers)s a second; 99 of 100 within %(p99_ms)s ms"),
        _("Web"): _("%(pages)s page views, 95 of 100 within %(page_p95_ms)s ms"),
        _("Store"): _("%(store_calls)s calls, %(each)s answers for each"),
        _("Worker"): _("%(orders)s orders, up to %(peak_orders)s a second, at most %(lag)s s behind"),
        _("Line"): _("at most %(queue_peak)s waited") if seen.queue_peak else _("nobody waited"),
        _("Standby"): _("at most %(standby_peak)s stood by, %(promoted)s were promoted"),
        _("Paid"): _("%(paid)s paid, %(expired)s not in time"),
    }
    found = [(name, sentence % shown) for name, sentence in sentences.items()]
    if seen.farm:
        farm = _(
            "%(farm)s accounts, one network, %(browsers)s browsers; %(farm_tries)s tries to enter,"
            " %(farm_slowed)s of them slowed down"
        )
        found.append((_("Farm"), farm % shown))
    found.append((_("Sold out"), sold_out if seen.sold_out_after >= 0 else _("never")))
    found.append((_("Refused"), refused or _("nobody")))
    if seen.paid_within != sale.pay_within:
        shorter = _(
            "The time to pay was cut from %(real)d s to %(played)d s, so that it ends within the rehearsal."
        )
        found.append((_("Note"), shorter % {"real": sale.pay_within, "played": seen.paid_within}))
    if seen.worker_was_away:
        found.append((_("Note"), _("No worker was running: the rehearsal recorded its orders itself.")))
    return found


def mark(one: Finding) -> str:
    """Return the word before a finding."""
    return _("good") if one.is_good else _("change")
