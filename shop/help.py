"""The help page: the same for everybody, linked from every footer."""

from email.utils import parseaddr

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from shop.public import public_page


@require_safe
@public_page
def help_page(request: HttpRequest) -> HttpResponse:
    """Show how the shop and its sales work, and where to ask."""
    return render(
        request,
        "help.html",
        {"minutes": settings.ORDER_PAY_WITHIN // 60, "contact": parseaddr(settings.DEFAULT_FROM_EMAIL)[1]},
    )


urlpatterns = [path("help/", help_page, name="help")]
