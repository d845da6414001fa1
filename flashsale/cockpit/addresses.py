"""The addresses of the cockpit, below those of the sales in the admin."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpResponse
from django.urls import URLPattern, path

from flashsale.cockpit import actions, live

Page = Callable[..., Callable[..., HttpResponse]]


def pages(page: Page, site: AdminSite) -> list[URLPattern]:
    """Return the pages; `page` lets only staff in and hands on what is named."""
    named: dict[str, tuple[str, Callable[..., HttpResponse], dict[str, Any]]] = {
        "sale-live": ("<int:pk>/live/", live.live, {"site": site}),
        "sale-frame": ("<int:pk>/live/frame/", live.frame, {}),
        "sale-chart": ("<int:pk>/live/<slug:name>.csv", live.chart_csv, {}),
    }
    for verb in actions.FORMS:
        named[f"sale-{verb}"] = (f"<int:pk>/{verb}/", actions.action, {"site": site, "verb": verb})
    return [path(route, page(view, **more), name=name) for name, (route, view, more) in named.items()]
