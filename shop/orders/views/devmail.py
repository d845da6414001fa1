"""The mails of a development shop, readable in the browser. Anywhere else there is no such page."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from shop.orders import sent_mail


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """Every mail that left, or waits, the newest first."""
    _only_in_development()
    return render(request, "orders/devmail_list.html", {"mails": sent_mail.newest()})


@require_safe
def mail(request: HttpRequest, source: str, name: str) -> HttpResponse:
    """One mail; `?part=html` shows its HTML as a mail program would."""
    _only_in_development()
    found = sent_mail.get(source=source, name=name)
    if found is None:
        raise Http404
    if request.GET.get("part") == "html":
        return HttpResponse(found.html)
    return render(request, "orders/devmail.html", {"mail": found})


def _only_in_development() -> None:
    if not settings.DEBUG:
        raise Http404
