"""Sales for search engines."""

from django.db.models import QuerySet

from flashsale import showing
from flashsale.models import Sale
from shop.sitemaps import ShopSitemap


class Sales(ShopSitemap):
    """Running, coming and past sales."""

    limit = 5000

    def items(self) -> QuerySet[Sale]:
        """Return all but drafts."""
        return showing.public().only("pk", "slug").order_by("pk")
