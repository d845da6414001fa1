"""A report in sentences, tables and pictures; the same figures as CSV rows."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flashsale import refusals
from flashsale.cockpit import charts, pictures, scales
from flashsale.cockpit.charts import Chart
from flashsale.cockpit.scales import number, share
from flashsale.report.fairness import Groups
from flashsale.report.gathering import AGES, Report, Step, age_words
from shop import money

SHOWN = 12
PARTS_FROM = 4
"""The row of the funnel from which on it tells what became of those who got a unit."""


def facts(report: Report) -> list[tuple[str, str]]:
    """The figures at the head of a report."""
    units = {name: number(value) for name, value in report.units.items()}
    sentence = _(
        "quantity %(quantity)s = free %(free)s + held %(held)s + paid %(paid)s + returned %(returned)s"
    )
    unpaid, ended = report.unpaid
    attempts = sum(report.outcomes.values())
    each = f"{report.attempts_each:.1f}" if report.attempts_each is not None else _("unknown")
    return [
        (_("Units"), sentence % units),
        (_("Last unit held"), _seconds(report.last_hold)),
        (_("Last payment"), _seconds(report.last_payment)),
        (_("Revenue"), money.draw(report.revenue)),
        (_("Not paid"), share(unpaid, ended)),
        (_("Returned to stock"), number(report.units["returned"])),
        (_("Attempts"), number(attempts)),
        (_("Attempts for each shopper"), each),
        (_("What the limits refused"), _refused(report)),
        (_("Standby"), _standby(report)),
        (_("Gini of luck"), _gini(report)),
    ]


def _seconds(after: float | None) -> str:
    return _("%(seconds).1f s after the opening") % {"seconds": after} if after is not None else _("never")


def _refused(report: Report) -> str:
    names = refusals.words()
    counted = [f"{names[name]}: {number(count)}" for name, count in report.refused.items() if count]
    return "; ".join(counted) or _("nobody")


def _standby(report: Report) -> str:
    words = {
        "waiting": _("wait"),
        "promoted": _("promoted"),
        "left": _("left"),
        "closed": _("told that it is over"),
        "refused": _("passed over"),
    }
    parts = [f"{number(count)} {words[name]}" for name, count in sorted(report.standby.items())]
    joined = ngettext("%(count)s stood by", "%(count)s stood by", total := sum(report.standby.values()))
    said = joined % {"count": number(total)}
    return f"{said}: {', '.join(parts)}" if parts else _("nobody stood by")


def _gini(report: Report) -> str:
    found, least = report.gini
    return _("%(found).3f; with so few units at least %(least).3f") % {"found": found, "least": least}


def funnel(report: Report) -> list[tuple[str, str, str, str, bool]]:
    """The funnel as rows: who, how many, share of the step, share of all, whether of those with a unit."""
    return [
        (
            one.name,
            number(one.people),
            share(one.people, one.of_step),
            share(one.people, one.of_all),
            place >= PARTS_FROM,
        )
        for place, one in enumerate(report.funnel)
    ]


def sums(report: Report) -> list[str]:
    """The funnel's two sums, as anybody can check them: those who came, and those who got a unit."""
    steps = report.funnel
    return [_sum(steps[0], steps[1:PARTS_FROM]), _sum(steps[1], steps[PARTS_FROM:])]


def _sum(whole: Step, parts: Sequence[Step]) -> str:
    said = " + ".join(f"{number(one.people)} {one.name}" for one in parts if one.people)
    return f"{number(whole.people)} {whole.name} = {said or '0'}"


def judgements(report: Report) -> list[tuple[bool, str]]:
    """Whether it was fair, test by test: (nothing found, sentence)."""
    names = {"age": _("account age"), "level": _("level"), "network": _("network (/24)")}
    found = [_judged(names[name], groups) for name, groups in report.groups.items()]
    return [*found, _speed(report)]


def _judged(name: str, groups: Groups) -> tuple[bool, str]:
    values = {"name": name, "p": _likely(groups.p)}
    if groups.p is None:
        return True, _("By %(name)s: too few to judge.") % values
    if groups.is_suspect:
        return False, _(
            "By %(name)s: units are not shared as chance would share them (%(p)s). Look into it."
        ) % values
    return True, _("By %(name)s: units are shared as chance would share them (%(p)s).") % values


def _speed(report: Report) -> tuple[bool, str]:
    speed = report.speed
    if speed.p is None:
        return True, _("Whether speed decided: too few to judge.")
    values = {"share": f"{100 * speed.share:.0f}", "p": _likely(speed.p)}
    if not speed.decided:
        return True, _(
            "Speed did not decide: who has a unit entered first in %(share)s of 100 pairs (%(p)s)."
        ) % values
    if report.sale.shuffle_at_open:
        sentence = _(
            "Speed decided although lots were drawn: who has a unit entered first in %(share)s of 100 pairs"
            " (%(p)s)."
        )
        return False, sentence % values
    sentence = _(
        "Speed decided, as it was set: who has a unit entered first in %(share)s of 100 pairs (%(p)s)."
    )
    return True, sentence % values


def _likely(p: float | None) -> str:
    if p is None:
        return ""
    return _("p < 0.001") if p < 0.001 else _("p = %(p).3f") % {"p": p}


def drawn(report: Report) -> list[Chart]:
    """The pictures of a report."""
    kept = [report.samples[place] for place in scales.thinned(len(report.samples))]
    return [
        pictures.units(report.sale, kept, []),
        pictures.attempts(report.samples, []),
        *pictures.line(report.sale, kept, []),
        pictures.outcomes(report.outcomes),
        _tries(report),
        _shares("age", _("Units by account age"), report.groups["age"]),
        _shares("level", _("Units by level"), report.groups["level"]),
        _shares("network", _("Units by network (/24)"), report.groups["network"]),
        _shares("arrival", _("Units by order of arrival, in tenths"), report.arrival),
    ]


def _tries(report: Report) -> Chart:
    title, counted = _("Attempts for each shopper"), [count for _times, count in report.tries]
    total, names = sum(counted), [times for times, _count in report.tries]
    said = ngettext(
        "Counted for %(count)s shopper: everybody, or a fair sample of a large crowd.",
        "Counted for %(count)s shoppers: everybody, or a fair sample of a large crowd.",
        total,
    )
    said %= {"count": number(total)}
    rows = [[times, count, share(count, total)] for times, count in report.tries]
    headers = [_("Attempts"), _("Shoppers"), _("Share")]
    return Chart("tries", title, said, charts.bars(f"{title}. {said}", names, counted), headers, rows)


def _shares(name: str, title: str, groups: Groups) -> Chart:
    rows = _in_order(name, groups.rows)
    taken = sum(row[2] for row in rows)
    table = [[group, came, got, share(got, taken), share(got, came)] for group, came, got in rows]
    headers = [_("Group"), _("Came in"), _("Got a unit"), _("Share of the units"), _("Share of the group")]
    shown = rows[:SHOWN]
    said = ngettext("%(count)s group.", "%(count)s groups.", len(rows)) % {"count": number(len(rows))}
    if len(rows) > SHOWN:
        said += " " + _("The picture shows the %(shown)d with the most units.") % {"shown": SHOWN}
    svg = charts.bars(f"{title}. {said}", [row[0] for row in shown], [row[2] for row in shown], kind="paid")
    return Chart(name, title, said, svg, headers, table)


def _in_order(name: str, rows: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """What has an order of its own is shown in it, networks by how many units they got."""
    if name == "arrival":
        return list(rows)
    if name == "level":
        return sorted(rows, key=lambda row: int(row[0]))
    if name == "age":
        order = [age_words(days) for days in (*(limit - 1 for limit in AGES), AGES[-1])]
        return sorted(rows, key=lambda row: order.index(row[0]))
    return sorted(rows, key=lambda row: -row[2])


def csv_rows(report: Report) -> list[Sequence[object]]:
    """All figures as rows: part, name, then the figures."""
    rows: list[Sequence[object]] = [("part", "name", "value", "of", "p")]
    rows += [("units", name, value) for name, value in report.units.items()]
    rows += [("funnel", one.name, one.people, one.of_step) for one in report.funnel]
    rows += [("outcome", name, value) for name, value in report.outcomes.items()]
    rows += [("refused", name, value) for name, value in report.refused.items()]
    rows += [("standby", name, value) for name, value in report.standby.items()]
    rows.append(("seconds after the opening", "last hold", report.last_hold))
    rows.append(("seconds after the opening", "last payment", report.last_payment))
    rows.append(("unpaid", "", *report.unpaid))
    rows.append(("attempts for each shopper", "", report.attempts_each))
    tried = sum(count for _times, count in report.tries)
    rows += [("shoppers of the sample by attempts", times, count, tried) for times, count in report.tries]
    rows.append(("gini", "", *report.gini))
    rows.append(("speed", "share of pairs", report.speed.share, "", report.speed.p))
    for part, groups in {**report.groups, "arrival": report.arrival}.items():
        rows += [(part, name, got, came, groups.p) for name, came, got in groups.rows]
    return rows
