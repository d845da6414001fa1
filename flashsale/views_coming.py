"""What a shopper does before a sale opens: be reminded, and put it into a calendar."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.limits import limited
from flashsale import calendar, reminders, showing
from flashsale.models import Sale
from shop.orders.forms import WishForm
from shop.orders.views.wishes import may_write, own_email


def _sale(slug: str) -> Sale:
    return get_object_or_404(showing.public(), slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
@limited(group="wishes", key="user_or_ip", rate="20/h")
def remind(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a mail before the sale opens; a sale that has opened needs none."""
    sale = _sale(slug)
    if sale.phase != "coming":
        return redirect(sale)
    form = WishForm(request.POST or None, initial={"email": own_email(request)})
    if not form.is_valid():
        context = {"form": form, "sale": sale, "section": "sales"}
        return render(request, "flashsale/remind.html", context, status=422 if form.is_bound else 200)
    email = form.cleaned_data["email"]
    may_write(request, email)
    reminders.ask(sale=sale, email=email, language=get_language() or "en")
    messages.success(request, _("We will write to %(email)s before it opens.") % {"email": email})
    return redirect(sale)


@require_safe
def ics(_request: HttpRequest, slug: str) -> HttpResponse:
    """Give the opening as a file that calendars read."""
    sale = _sale(slug)
    response = HttpResponse(calendar.entry(sale), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{sale.slug}.ics"'
    return response
