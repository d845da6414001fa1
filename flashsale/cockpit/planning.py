"""What a plan comes to, in sentences: said beside the form of a sale while it is typed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.forms.models import construct_instance
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from flashsale import audit, pacing, shedding
from flashsale.admin_forms import SaleForm, clashing
from flashsale.admin_views import find_sale, operator
from flashsale.cockpit import entrants
from flashsale.cockpit.figures import both_zones
from flashsale.cockpit.scales import number
from flashsale.models import Sale, SaleItem
from flashsale.words import span
from shop.catalogue.models import Variant

EXAMPLE = 5_000
MOST_ITEMS = 200


class TypedForm(SaleForm):
    """The form as the admin draws it: a day and an hour for each instant."""

    opens_at = forms.SplitDateTimeField()
    closes_at = forms.SplitDateTimeField()


def sentences(sale: Sale, units: Sequence[tuple[Variant, int]]) -> list[str | SafeString]:
    """Say what a sale comes to; a conflict with another sale is named with a link to it."""
    found: list[str | SafeString] = [_units(sale, variant, quantity) for variant, quantity in units]
    times: tuple[datetime | None, ...] = (sale.opens_at, sale.closes_at)  # a half-typed form knows neither
    if None not in times and sale.closes_at > sale.opens_at:
        found += _times(sale)
    found.append(_pay(sale))
    found.append(_standby(sale))
    found.append(_line(sale))
    if settings.EDGE_SHEDDING and units:
        found.append(_crowd(sale, len(units)))
    if times[0] is not None:
        found.append(entrants.rules(sale))
        found += clashing(sale, [variant.pk for variant, _quantity in units])
    return found


def _units(sale: Sale, variant: Variant, quantity: int) -> str:
    values = {"units": number(quantity), "stock": number(variant.stock), "variant": variant}
    if sale.state != Sale.State.DRAFT:
        return _("%(units)s units of %(variant)s are in the sale; %(stock)s are in ordinary stock.") % values
    if quantity > variant.stock:
        return (
            _("There are only %(stock)s units of %(variant)s: %(units)s cannot leave ordinary stock.")
            % values
        )
    return (
        _("%(units)s of %(stock)s units of %(variant)s leave ordinary stock when it is scheduled.") % values
    )


def _times(sale: Sale) -> list[str]:
    values = {
        "opens": both_zones(sale.opens_at),
        "closes": both_zones(sale.closes_at),
        "long": span(sale.closes_at - sale.opens_at),
    }
    found = [_("It opens %(opens)s and ends %(closes)s, after %(long)s.") % values]
    if sale.opens_at > timezone.now():
        found.append(_("Until it opens: %(left)s.") % {"left": span(sale.opens_at - timezone.now())})
    return found


def _pay(sale: Sale) -> str:
    within = span(timedelta(seconds=sale.pay_within or 0))
    return _("Whoever gets a unit has %(within)s to pay; then it goes to the next.") % {"within": within}


def _standby(sale: Sale) -> str:
    if not sale.standby_size:
        return _("Nobody stands by: a unit that is not paid is free for whoever comes then.")
    sentence = ngettext(
        "%(count)s person stands by for each item.",
        "%(count)s people stand by for each item.",
        sale.standby_size,
    )
    return sentence % {"count": number(sale.standby_size)}


def _line(sale: Sale) -> str:
    if not sale.rate:
        return pacing.result(sale)
    wait = span(timedelta(seconds=EXAMPLE / sale.rate))
    sentence = _("At %(rate)s a second the last of %(example)s waiting is served after %(wait)s.")
    return sentence % {"rate": number(sale.rate), "example": number(EXAMPLE), "wait": wait}


def _crowd(sale: Sale, items: int) -> str:
    """Say whether the edge refuses by lot, and why not where it does not."""
    match shedding.why_everybody(items=items, has_line=bool(sale.rate)):
        case shedding.Everybody.LINE:
            return _(
                "The edge sends everybody on, however many come: the line has an order that no lot may break."
                " A longest line turns newcomers away in a crowd."
            )
        case shedding.Everybody.ITEMS:
            return _(
                "The edge sends everybody on, however many come: nobody knows who wants which of several"
                " items, so a lot could leave units of one of them over."
            )
    return _(
        "In a crowd the edge sends on by lot whom the units and the standby places are enough for, and some"
        " more; all others are told that it is sold out."
    )


def of_form(data: QueryDict, sale: Sale) -> list[str | SafeString]:
    """Say what was typed so far comes to; what is not right yet is left out here and named at its field."""
    form = TypedForm(data, instance=sale)
    form.is_valid()
    construct_instance(form, sale, [name for name in form.fields if name in form.cleaned_data])
    units = {row["variant"]: row["quantity"] for row in _rows(data)}
    if not units and sale.pk:
        units = dict(sale.items.values_list("variant", "quantity"))
    variants = Variant.objects.filter(pk__in=units).select_related("product")
    return sentences(sale, [(variant, units[variant.pk]) for variant in variants])


def _rows(data: QueryDict) -> list[dict[str, int]]:
    found = []
    for place in range(MOST_ITEMS):
        typed = {name: data.get(f"items-{place}-{name}", "") for name in ("variant", "quantity")}
        if all(value.isdecimal() and len(value) < 10 for value in typed.values()):
            found.append({name: int(value) for name, value in typed.items()})
    return found


@require_POST
def said(request: HttpRequest) -> HttpResponse:
    """The sentences of what is typed, as a fragment."""
    operator(request)
    wanted = request.POST.get("sale", "")
    sale = get_object_or_404(Sale, pk=int(wanted)) if wanted.isdecimal() else Sale()
    return render(request, "flashsale/cockpit/sentences.html", {"sentences": of_form(request.POST, sale)})


def panel(sale: Sale | None) -> dict[str, Any]:
    """What stands beside the form when it is opened."""
    if sale is None:
        return {"plan": [_("Type, and it is said here what will happen.")]}
    items = sale.items.select_related("variant__product")
    said = sentences(sale, [(item.variant, item.quantity) for item in items])
    return {"plan": said, "seen": audit.latest(sale)}


@require_POST
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a draft like a sale, a week after it, with its items and its list."""
    sale = find_sale(request, pk)
    copy = copy_of(sale)
    audit.note(sale=copy, by=operator(request), what=_("Copied from “%(sale)s”.") % {"sale": sale.title})
    return redirect(reverse("admin:flashsale_sale_change", args=[copy.pk]))


def copy_of(sale: Sale) -> Sale:
    """Return a new draft with everything that a merchandiser typed about `sale`, a week later."""
    week = timedelta(days=7)
    typed = {name: getattr(sale, name) for name in SaleForm.Meta.fields if name not in ("title", "slug")}
    later = max(sale.opens_at + week, timezone.now() + timedelta(days=1))
    typed |= {"opens_at": later, "closes_at": later + (sale.closes_at - sale.opens_at)}
    with transaction.atomic():
        count = Sale.objects.count() + 1
        slug = slugify(f"{sale.slug[:80]}-{count}")
        title = _("%(title)s (copy)") % {"title": sale.title[:190]}
        copy = Sale.objects.create(title=title, slug=slug, **typed)
        for item in sale.items.all():
            SaleItem.objects.create(
                sale=copy,
                variant_id=item.variant_id,
                price=item.price,
                quantity=item.quantity,
                limit=item.limit,
            )
        copy.whitelist.bulk_create(type(row)(sale=copy, email=row.email) for row in sale.whitelist.all())
    return copy
