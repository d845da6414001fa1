"""The pages of the catalogue: the same for everybody, so that any cache may keep them."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from shop.catalogue import choices, listing, search
from shop.catalogue.forms import SearchForm, SortForm
from shop.catalogue.models import Product
from shop.public import public_page
from shop.replicas import read_from_replica

ON_HOME_PAGE = 8


@require_safe
@public_page
@read_from_replica
def home(request: HttpRequest) -> HttpResponse:
    """The front page: what is new, and where to find the rest."""
    newest = list(listing.products(choice=listing.Choice())[:ON_HOME_PAGE])
    context = {"products": newest, "categories": listing.categories()}
    return render(request, "catalogue/home.html", context)


@require_safe
@public_page
@read_from_replica
def catalogue(request: HttpRequest) -> HttpResponse:
    """All products, or those of one category; an unknown category is not found."""
    choice = listing.Choice(category=request.GET.get("category", ""), sort=request.GET.get("sort", ""))
    categories = list(listing.categories())
    category = next((one for one in categories if one.slug == choice.category), None)
    if choice.category and category is None:
        raise Http404
    page = Paginator(listing.products(choice=choice), listing.PAGE_SIZE).get_page(request.GET.get("page"))
    form = SortForm(initial={"sort": choice.sort})
    context = {"page_obj": page, "categories": categories, "category": category, "sort_form": form}
    canonical = listing.address(category=choice.category, page=page.number)
    return render(request, "catalogue/list.html", context | {"canonical": canonical, "section": "catalogue"})


@require_safe
@public_page
@read_from_replica
def product(request: HttpRequest, pk: int, slug: str | None = None) -> HttpResponse:
    """One product with its variants; another slug than its own leads to its own address."""
    found = get_object_or_404(Product.objects.published().with_parts(), pk=pk)
    if slug not in (None, found.handle):
        return redirect(found)
    context = {
        "product": found,
        "groups": choices.groups(found),
        "chosen": choices.chosen(found, request.GET.get("variant", "")),
        "section": "catalogue",
    }
    return render(request, "catalogue/product.html", context)


@require_safe
@public_page
@read_from_replica
def find(request: HttpRequest) -> HttpResponse:
    """Products that match the words `q`; where none does, those that nearly do."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    context = {"form": form, "text": text, "section": "catalogue"}
    if text:
        page = Paginator(search.matching(text=text), listing.PAGE_SIZE).get_page(request.GET.get("page"))
        near = [] if page.paginator.count else search.nearly(text=text)
        context |= {"page_obj": page, "near": near}
    return render(request, "catalogue/search.html", context)
