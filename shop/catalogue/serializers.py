"""How products look as JSON: amounts in minor units, times in ISO 8601."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from shop.catalogue.forms import LONGEST_SEARCH
from shop.catalogue.listing import SORTS
from shop.catalogue.models import Product, ProductImage, Variant


class ListQuery(serializers.Serializer[Any]):
    """What a list may be asked for."""

    category = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="The slug of a category."
    )
    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_SEARCH,
        help_text="Words of the title, the vendor, the tags or the text.",
    )
    sort = serializers.ChoiceField(
        choices=list(SORTS.items()),
        required=False,
        allow_blank=True,
        help_text="Without it the best match comes first, or the newest where no words are given.",
    )


class VariantSerializer(serializers.ModelSerializer[Variant]):
    """What can be bought."""

    available = serializers.IntegerField(source="stock", help_text="Units in ordinary stock.")

    class Meta:
        model = Variant
        fields = (
            "id",
            "sku",
            "options",
            "label",
            "price",
            "compare_at",
            "available",
            "slot_place",
            "slot_starts_at",
        )


class PictureSerializer(serializers.ModelSerializer[ProductImage]):
    """A picture that the shop serves."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = ProductImage
        fields = ("url", "alt")

    def get_url(self, image: ProductImage) -> str:
        return str(self.context["request"].build_absolute_uri(image.url))


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product of a list: `price` is that of its cheapest variant, one in stock if there is any."""

    url = serializers.SerializerMethodField(help_text="Its page.")
    category = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    currency = serializers.SerializerMethodField(help_text="ISO 4217.")
    price = serializers.IntegerField(source="cheapest.price", help_text="In minor units.")
    compare_at = serializers.IntegerField(
        source="cheapest.compare_at", allow_null=True, help_text="The usual price, in minor units."
    )
    is_from_price = serializers.BooleanField(help_text="Whether another variant in stock costs more.")
    is_sold_out = serializers.BooleanField()
    pictures = PictureSerializer(many=True)

    class Meta:
        model = Product
        fields: tuple[str, ...] = (
            "id",
            "handle",
            "title",
            "url",
            "vendor",
            "kind",
            "category",
            "currency",
            "price",
            "compare_at",
            "is_from_price",
            "is_sold_out",
            "pictures",
        )

    def get_url(self, product: Product) -> str:
        return str(self.context["request"].build_absolute_uri(product.get_absolute_url()))

    def get_currency(self, _product: Product) -> str:
        return str(settings.SHOP_CURRENCY)


class ProductDetailSerializer(ProductSerializer):
    """A product with its text and all of its variants."""

    option_names = serializers.ListField(child=serializers.CharField())
    variants = VariantSerializer(many=True)

    class Meta(ProductSerializer.Meta):
        fields = (*ProductSerializer.Meta.fields, "body", "tags", "option_names", "variants")
