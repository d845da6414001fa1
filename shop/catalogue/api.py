"""The catalogue for programs."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from shop.catalogue import listing
from shop.catalogue.models import Product
from shop.catalogue.serializers import ListQuery, ProductDetailSerializer, ProductSerializer


class ProductList(ListAPIView[Product]):
    """Products that are for sale, 24 a page, the sold out among them."""

    serializer_class = ProductSerializer

    @extend_schema(parameters=[ListQuery])
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Product]:
        query = ListQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        return listing.products(
            choice=listing.Choice(
                category=asked.get("category", ""), text=asked.get("q", ""), sort=asked.get("sort", "")
            )
        )


class ProductDetail(RetrieveAPIView[Product]):
    """One product with its variants."""

    serializer_class = ProductDetailSerializer
    queryset = Product.objects.published().with_parts()
