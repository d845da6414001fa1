"""The account, its addresses, and the pictures and sounds of the captcha."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import addresses as address_book
from accounts import next_page
from accounts.captcha import mine, spoken
from accounts.captcha_pool import draw
from accounts.forms import AddressForm
from accounts.limits import limited
from accounts.models import Address, User


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - behind login_required; tells the type checker
    return request.user


def _own_address(request: HttpRequest, pk: int) -> Address:
    return get_object_or_404(_user(request).addresses.all(), pk=pk)


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show what the shop knows of the shopper and where to go from here."""
    shopper = _user(request)
    days = (timezone.now() - shopper.date_joined).days
    return render(request, "accounts/home.html", {"shopper": shopper, "days": days})


@login_required
def addresses(request: HttpRequest) -> HttpResponse:
    """List the shopper's addresses."""
    return render(request, "accounts/addresses.html", {"addresses": _user(request).addresses.all()})


@login_required
def address_add(request: HttpRequest) -> HttpResponse:
    """Add an address."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address_book.add(
            user=_user(request), parts=form.parts(), make_default=form.cleaned_data["make_default"]
        )
        messages.success(request, _("The address is in your list."))
        return redirect(next_page.wanted(request) or "addresses")
    return render(request, "accounts/address_form.html", {"form": form})


@login_required
def address_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one of the shopper's own addresses."""
    address = _own_address(request, pk)
    form = AddressForm(request.POST or None, address=address)
    if request.method == "POST" and form.is_valid():
        address_book.change(
            address=address, parts=form.parts(), make_default=form.cleaned_data.get("make_default", False)
        )
        messages.success(
            request, _("The address is changed. Orders that you placed before keep the old one.")
        )
        return redirect(next_page.wanted(request) or "addresses")
    return render(request, "accounts/address_form.html", {"form": form, "address": address})


@login_required
def address_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete one of the shopper's own addresses."""
    address = _own_address(request, pk)
    if request.method == "POST":
        address_book.remove(address=address)
        messages.success(request, _("The address is deleted."))
        return redirect("addresses")
    return render(request, "accounts/address_delete.html", {"address": address})


@require_GET
@never_cache
@limited(group="captcha-image", key="user_or_ip", rate="60/m", methods=("GET",))
def captcha_image(request: HttpRequest, key: str) -> HttpResponse:
    """Draw a challenge of this session: where none was drawn ahead, its page brings an address for it."""
    hashkey = mine(request, key)
    if hashkey is None:
        raise Http404
    return HttpResponse(draw(hashkey), content_type="image/png")


@require_GET
@never_cache
@limited(group="captcha-audio", key="user_or_ip", rate="20/m", methods=("GET",))
def captcha_audio(request: HttpRequest, key: str) -> HttpResponse:
    """Speak a challenge of this session; 404 if it is over or nothing here can speak."""
    hashkey = mine(request, key)
    sound = spoken(hashkey) if hashkey else None
    if sound is None:
        raise Http404
    return HttpResponse(sound, content_type="audio/wav")
