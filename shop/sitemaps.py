"""What search engines find: `/robots.txt` and the pages of the shop in `/sitemap.xml`."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import sitemap
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from shop.catalogue import listing
from shop.catalogue.models import Category, Product

PERSONAL = ("account", "cart", "checkout", "orders", "search", "reservations")
"""Names of pages that tell a search engine nothing, with everything below them."""

View = Callable[[HttpRequest], HttpResponse]


class ShopSitemap(Sitemap):  # type: ignore[type-arg]  # not subscriptable at run time
    """Addresses begin with SHOP_URL: the shop may answer to several names, and has one."""

    def get_domain(self, site: object = None) -> str:  # noqa: ARG002 - the library passes it
        """Return the shop's own host."""
        return str(urlsplit(settings.SHOP_URL).netloc)

    def get_protocol(self, protocol: str | None = None) -> str:  # noqa: ARG002 - likewise
        """Return http or https, as in SHOP_URL."""
        return str(urlsplit(settings.SHOP_URL).scheme)


class Pages(ShopSitemap):
    """Pages that are always there."""

    def items(self) -> list[str]:
        """Return the names of the pages."""
        return ["home", "catalogue", "sales", "help"]

    def location(self, item: str) -> str:
        """Return the address of a page."""
        return reverse(item)


class Categories(ShopSitemap):
    """Shelves on which something stands."""

    def items(self) -> QuerySet[Category]:
        """Return the categories."""
        return listing.categories()


class Products(ShopSitemap):
    """What is published, the sold out too: it keeps its page."""

    limit = 5000

    def items(self) -> QuerySet[Product]:
        """Return the products."""
        return Product.objects.published().only("pk", "handle").order_by("pk")


@require_safe
@cache_control(public=True, max_age=3600)
def robots(_request: HttpRequest) -> HttpResponse:
    """Say what is not worth a visit, and where the lists of pages are."""
    lines = ["User-agent: *", *(f"Disallow: {reverse(name)}" for name in PERSONAL), "Disallow: /admin/"]
    lines += [f"Sitemap: {settings.SHOP_URL}{reverse(name)}" for name in ("sitemap", "sales-sitemap")]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def section(**sitemaps: type[ShopSitemap]) -> View:
    """Return a view that lists these pages for search engines; it may be kept for an hour."""
    view = cache_control(public=True, max_age=3600)(sitemap)

    def show(request: HttpRequest) -> HttpResponse:
        return view(request, sitemaps=dict(sitemaps))

    return show


urlpatterns = [
    path("robots.txt", robots, name="robots"),
    path("sitemap.xml", section(pages=Pages, categories=Categories, products=Products), name="sitemap"),
]
