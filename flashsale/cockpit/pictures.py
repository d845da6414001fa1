"""The pictures of a sale's live page, from what was sampled: units, attempts, line, deadlines, outcomes."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flashsale import audit
from flashsale.cockpit import charts, scales
from flashsale.cockpit.charts import Chart, Flag, Series
from flashsale.cockpit.figures import Look, rates
from flashsale.cockpit.scales import number, share
from flashsale.models import Reservation, Sale, Sample
from flashsale.words import instant

OUTCOMES = (
    "reserved",
    "standby",
    "queued",
    "sold_out",
    "full",
    "slow_down",
    "not_open",
    "paused",
    "ended",
    "refused",
)
DEADLINES = 10


def outcome_words() -> dict[str, str]:
    """The outcomes of an attempt, as operators read them."""
    return {
        "reserved": _("Reserved"),
        "standby": _("Standby"),
        "queued": _("In line"),
        "sold_out": _("Sold out"),
        "full": _("Line full"),
        "slow_down": _("Too many tries"),
        "not_open": _("Not open"),
        "paused": _("Paused"),
        "ended": _("Ended"),
        "refused": _("Refused"),
    }


def draw(look: Look) -> list[Chart]:
    """Draw all of them that have something to show."""
    flags = _flags(look.sale)
    kept = [look.past[place] for place in scales.thinned(len(look.past))]
    return [
        units(look.sale, kept, flags),
        attempts(look.past, flags),
        *line(look.sale, kept, flags),
        deadlines(look),
        outcomes(look.past[-1].outcomes if look.past else {}),
    ]


def _flags(sale: Sale) -> list[Flag]:
    entries = reversed(audit.log(sale)[:30])
    return [Flag(one.action_time.timestamp(), f"{one.user}: {one.get_change_message()}") for one in entries]


def _times(samples: Sequence[Sample]) -> list[float]:
    return [one.at.timestamp() for one in samples]


def units(sale: Sale, samples: Sequence[Sample], flags: Sequence[Flag]) -> Chart:
    """Draw where the units are; the axis ends at the quantity."""
    layers = {"paid": _("Paid"), "held": _("Held"), "returned": _("Returned"), "free": _("Free")}
    series = [Series(word, kind, [getattr(one, kind) for one in samples]) for kind, word in layers.items()]
    quantity = max(sum(item.quantity for item in sale.items.all()), 1)
    if samples:
        last = samples[-1]
        values = {
            "taken": number(quantity - last.free),
            "quantity": number(quantity),
            "time": instant(last.at),
        }
        said = _("%(taken)s of %(quantity)s units are held, paid or returned at %(time)s.") % values
    else:
        said = _(
            "Nothing was sampled yet: the worker looks once a second from ten minutes before the opening."
        )
    title = _("Units over time")
    headers, rows = charts.table(_times(samples), series)
    svg = charts.stack(f"{title}. {said}", _times(samples), series, quantity, flags)
    return Chart("units", title, said, svg, [_("Time"), *headers], rows)


def attempts(samples: Sequence[Sample], flags: Sequence[Flag]) -> Chart:
    """Draw attempts a second by outcome, those outcomes that occurred."""
    words = outcome_words()
    seen = [name for name in OUTCOMES if samples and samples[-1].outcomes.get(name)]
    begin, end = (samples[0].at.timestamp(), samples[-1].at.timestamp()) if samples else (0.0, 1.0)
    found = []
    counted = {
        name: rates([(one.at.timestamp(), one.outcomes.get(name, 0)) for one in samples]) for name in seen
    }
    peak = max((rate for points in counted.values() for _at, rate in points), default=0.0)
    # Ten shoppers in half an hour would be a flat line: so small a crowd is counted by the minute.
    by_minute = 0 < peak < 1
    title = _("Attempts a minute, by outcome") if by_minute else _("Attempts a second, by outcome")
    for name, points in counted.items():
        scaled = [(at, rate * 60) for at, rate in points] if by_minute else points
        found.append((words[name], name, scales.binned(scaled, begin, end)))
    most = max(((one.most, one.at) for _n, _k, bins in found for one in bins), default=(0.0, begin))
    said = _("Nobody has attempted yet.")
    if seen:
        said = _("All attempts so far came before one look: how many a second is not known.")
    if by_minute:
        said = _("At the busiest time one outcome came %(most)s times a minute.") % {"most": f"{most[0]:.1f}"}
    elif most[0]:
        said = _("The busiest second of one outcome had %(most)s attempts.") % {"most": number(most[0])}
    svg = charts.rates(f"{title}. {said}", begin, end, found, flags)
    headers = [_("From"), *(word for word, _k, _b in found)]
    lines: dict[float, list[str]] = {}
    for place, (_word, _kind, bins) in enumerate(found):
        for one in bins:
            lines.setdefault(one.at, ["0"] * len(found))[place] = f"{one.most:.1f}"
    rows = [[charts.iso(at), *cells] for at, cells in sorted(lines.items())]
    return Chart("attempts", title, said, svg, headers, rows)


def line(sale: Sale, samples: Sequence[Sample], flags: Sequence[Flag]) -> list[Chart]:
    """Draw tickets issued and served, all told; nothing for a sale that has no line and never had one."""
    if not sale.rate and not any(one.issued for one in samples):
        return []
    title = _("The line: tickets issued and served")
    series = [
        Series(_("Issued"), "issued", [one.issued for one in samples]),
        Series(_("Served"), "served", [one.served for one in samples]),
    ]
    longest = max((one.issued - one.served for one in samples), default=0)
    said = _("Nobody has waited in line.")
    if longest:
        said = _("The line was never longer than %(longest)s people.") % {"longest": number(longest)}
        said += " " + _("The distance across is the wait, the distance down is the length.")
    headers, rows = charts.table(_times(samples), series)
    svg = charts.cumulative(f"{title}. {said}", _times(samples), series, flags)
    return [Chart("line", title, said, svg, [_("Time"), *headers], rows)]


def deadlines(look: Look) -> Chart:
    """Draw when those who hold a unit must have paid, in ten equal stretches."""
    title, width = _("Deadlines to come"), max(1, look.sale.pay_within // DEADLINES)
    held = Reservation.objects.filter(item__sale=look.sale, status=Reservation.Status.HELD)
    found: Counter[int] = Counter()
    for pay_by in held.values_list("pay_by", flat=True):
        found[min(DEADLINES - 1, max(0, int((pay_by - look.at).total_seconds() // width)))] += 1
    counts = [found[place] for place in range(DEADLINES)]
    names = [_until(width * (place + 1)) for place in range(DEADLINES)]
    total = sum(counts)
    said = ngettext("%(count)s unit waits to be paid.", "%(count)s units wait to be paid.", total)
    said %= {"count": number(total)}
    svg = charts.bars(f"{title}. {said}", names, counts)
    return Chart(
        "deadlines", title, said, svg, [_("Within"), _("Units")], list(zip(names, counts, strict=True))
    )


def _until(seconds: int) -> str:
    length = timedelta(seconds=seconds)
    minutes, rest = divmod(int(length.total_seconds()), 60)
    return f"{minutes}:{rest:02}"


def outcomes(counted: dict[str, int]) -> Chart:
    """Draw how all attempts so far were answered."""
    title, words = _("Outcomes of all attempts"), outcome_words()
    found = [(words[name], name, counted.get(name, 0)) for name in OUTCOMES if counted.get(name)]
    total = sum(count for _w, _k, count in found)
    said = ngettext("%(count)s attempt was answered.", "%(count)s attempts were answered.", total)
    said %= {"count": number(total)}
    rows = [[word, count, share(count, total)] for word, _kind, count in found]
    headers = [_("Outcome"), _("Attempts"), _("Share")]
    return Chart("outcomes", title, said, charts.whole(f"{title}. {said}", found), headers, rows)
