"""A mail when something is back in stock, and no more mails of that kind."""

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.limits import limited
from accounts.models import User
from shop.catalogue.models import Product
from shop.orders import stock_notices, wishes
from shop.orders.forms import StockNoticeForm
from shop.orders.progress import masked


@require_http_methods(["GET", "HEAD", "POST"])
@limited(group="wishes", key="user_or_ip", rate="20/h")
def stock_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a mail when a sold-out variant of a product is back."""
    product = get_object_or_404(Product.objects.published().with_parts(), pk=pk)
    gone = [variant for variant in product.variants.all() if variant.is_sold_out]
    if not gone:
        return redirect(product)
    form = StockNoticeForm(request.POST or None, variants=gone, initial={"email": own_email(request)})
    if not form.is_valid():
        context = {"form": form, "product": product}
        return render(request, "orders/stock_notice.html", context, status=422 if form.is_bound else 200)
    email = form.cleaned_data["email"]
    may_write(request, email)
    stock_notices.ask(variant=form.variant(), email=email, language=get_language() or "en")
    messages.success(request, _("We will write to %(email)s once, when it is back.") % {"email": email})
    return redirect(product)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def no_mail(request: HttpRequest, signed: str) -> HttpResponse:
    """Stop such mails to one address. The link is the proof, so that a mail program may post it by itself."""
    try:
        email = wishes.email_of(signed)
    except signing.BadSignature as error:
        raise Http404 from error
    if request.method == "POST":
        wishes.stop(email=email)
    context = {"email": masked(email), "is_done": request.method == "POST"}
    return render(request, "orders/no_mail.html", context)


def own_email(request: HttpRequest) -> str:
    """Return the address of whoever is logged in, else an empty text."""
    return request.user.email if isinstance(request.user, User) else ""


def may_write(request: HttpRequest, email: str) -> None:
    """Write again to an address that had stopped such mails, if its owner asks."""
    if email.lower() == own_email(request):
        wishes.allow(email=email.lower())
