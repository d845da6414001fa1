"""The live page of a sale: drawn whole on the server, once a second for everybody who watches it."""

import csv
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from flashsale import audit, pauses
from flashsale.admin_views import may_operate, page
from flashsale.cockpit import figures, health, pictures, presence
from flashsale.models import Sale
from flashsale.passes import WATCH, Signer
from flashsale.words import instant

FIGURES_SECONDS, CHARTS_SECONDS = 1, 5
PASS_SECONDS = 60
"""How long a page that does not show itself any more may still begin to listen."""


def watcher(request: HttpRequest) -> User:
    """Return who looks; only for staff who may see sales. Raises PermissionDenied."""
    if not isinstance(request.user, User) or not request.user.has_perm("flashsale.view_sale"):
        raise PermissionDenied
    return request.user


def watched(request: HttpRequest, pk: int) -> Sale:
    """Return a sale with its items for somebody who may see it. Raises PermissionDenied and Http404."""
    watcher(request)
    sales = Sale.objects.prefetch_related("items__variant__product")
    return get_object_or_404(sales.exclude(state=Sale.State.DRAFT), pk=pk)


@never_cache
@require_safe
def live(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """The page; its buttons stand outside the frame, so that they never move under the finger."""
    sale = watched(request, pk)
    context = page(request, site, sale, title=sale.title, stream=_stream(sale), **_frame(request, sale))
    return _let_watch(render(request, "flashsale/cockpit/live.html", context), request, sale)


@never_cache
@require_safe
def frame(request: HttpRequest, pk: int) -> HttpResponse:
    """What changes on the page: asked for now and then, and each second while nothing is pushed."""
    sale = watched(request, pk)
    context = {"sale": sale, **_frame(request, sale)}
    return _let_watch(render(request, "flashsale/cockpit/frame.html", context), request, sale)


def _stream(sale: Sale) -> str:
    return f"/gate/sales/{sale.pk}/events?figures={get_language()}"


def _let_watch(response: HttpResponse, request: HttpRequest, sale: Sale) -> HttpResponse:
    """Let the page be told, for a minute: whoever loses the permission soon hears nothing more."""
    until = int(time.time()) + PASS_SECONDS
    issued = Signer(settings.PASS_KEYS).issue(
        sale=sale.pk, user=watcher(request).pk, expires_at=until, purpose=WATCH
    )
    response.set_cookie(
        settings.WATCH_COOKIE,
        issued,
        max_age=PASS_SECONDS,
        path=f"/gate/sales/{sale.pk}/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def _frame(request: HttpRequest, sale: Sale) -> dict[str, Any]:
    presence.seen(sale_id=sale.pk, user=watcher(request), language=get_language() or settings.LANGUAGE_CODE)
    return shared(sale) | {"may_operate": may_operate(request)}


def shared(sale: Sale, *, with_charts: bool = True) -> dict[str, Any]:
    """What every operator sees alike."""
    return {
        "phase": sale.phase,
        "pause": pauses.told(sale=sale, status=None) if sale.phase == "paused" else None,
        "figures": _drawn(sale, "figures", FIGURES_SECONDS, _facts),
        "charts": _drawn(sale, "charts", CHARTS_SECONDS, _charts) if with_charts else "",
        "names": presence.names(sale.pk),
        "seen": audit.latest(sale),
        "news": audit.log(sale)[:5],
        "drawn_at": instant(timezone.now()),
    }


def _drawn(sale: Sale, name: str, seconds: int, draw: Callable[[figures.Look], dict[str, Any]]) -> str:
    """The figures or the charts as markup: drawn once in so many seconds, however many operators watch."""
    key = f"cockpit:{sale.pk}:{name}:{get_language()}"
    drawn: str | None = cache.get(key)
    if drawn is None:
        drawn = render_to_string(f"flashsale/cockpit/{name}.html", {"sale": sale, **draw(figures.look(sale))})
        cache.set(key, drawn, seconds)
    return mark_safe(drawn)  # noqa: S308 - a template drew it; the cache gives back the text without the word


def _facts(look: figures.Look) -> dict[str, Any]:
    return {
        "units": figures.units(look),
        "times": figures.when(look),
        "flow": figures.flow(look),
        "takings": figures.takings(look),
        "refused": figures.refused(look),
        "health": health.look(look.now_sample),
        "age": figures.age(look),
    }


def _charts(look: figures.Look) -> dict[str, Any]:
    return {"charts": pictures.draw(look)}


@require_safe
def chart_csv(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Return the table of one chart as CSV."""
    sale = watched(request, pk)
    chart = next((one for one in pictures.draw(figures.look(sale)) if one.name == name), None)
    if chart is None:
        raise Http404
    return csv_file(f"{sale.slug}-{name}.csv", [chart.headers, *chart.rows])


def harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe."""
    is_formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if is_formula and not _is_number(str(cell)) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def csv_file(name: str, rows: Sequence[Sequence[object]]) -> HttpResponse:
    """Return rows as a CSV file to be kept."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    csv.writer(response).writerows([harmless(cell) for cell in row] for row in rows)
    return response
