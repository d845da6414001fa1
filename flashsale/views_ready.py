"""Getting ready for a sale: a list of what can be done before the time runs."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from flashsale import eligibility, entry, readiness, showing
from flashsale.views import found_sale, shopper


@never_cache
@require_safe
def sale_ready(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is done and what is open; a guest begins with the login."""
    sale, user = found_sale(slug), shopper(request)
    entered = user is not None and entry.has_entered(request=request, sale=sale)
    ready = readiness.of(sale=sale, user=user, entered=entered)
    context = {
        "sale": sale,
        "ready": ready,
        "arrives": showing.arrives(sale),
        "all": len(ready.steps),
        "refusal": eligibility.why_not(user=user, sale=sale, now=timezone.now()) if user else None,
        "variant": settings.PAYMENT_DEFAULT,
        "variants": list(settings.PAYMENT_VARIANTS),
        "section": "sales",
    }
    return render(request, "flashsale/ready.html", context)
