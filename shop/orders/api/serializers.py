"""How carts and orders look as JSON: amounts in minor units, times in ISO 8601."""

from typing import Any

from rest_framework import serializers

from shop.orders.carts import MOST
from shop.orders.models import CartLine, Order, OrderLine


class WantedLineSerializer(serializers.Serializer[Any]):
    """A variant and how many of it."""

    variant = serializers.IntegerField(min_value=1)
    quantity = serializers.IntegerField(min_value=0, max_value=MOST, default=1)


class CartLineSerializer(serializers.ModelSerializer[CartLine]):
    """A line of a cart at today's price."""

    title = serializers.CharField(source="variant.__str__")
    price = serializers.IntegerField(source="variant.price")
    available = serializers.IntegerField(source="variant.stock")

    class Meta:
        model = CartLine
        fields = ("variant", "title", "price", "quantity", "available")


class CartSerializer(serializers.Serializer[Any]):
    """A cart and what it costs."""

    lines = CartLineSerializer(many=True)
    goods = serializers.IntegerField()
    delivery = serializers.IntegerField()
    total = serializers.IntegerField()
    currency = serializers.CharField()


class CheckoutSerializer(serializers.Serializer[Any]):
    """An order of what is in the cart. The address is asked for only if something is sent."""

    total = serializers.IntegerField(help_text="The total that you saw, in minor units; another is refused.")
    full_name = serializers.CharField()
    country = serializers.CharField(required=False, help_text="Two letters, ISO 3166.")
    line1 = serializers.CharField(required=False)
    line2 = serializers.CharField(required=False)
    postcode = serializers.CharField(required=False)
    city = serializers.CharField(required=False)


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """A line of an order at the price of its day."""

    class Meta:
        model = OrderLine
        fields = ("variant", "title", "sku", "price", "quantity")


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order."""

    id = serializers.UUIDField(source="public_id")
    lines = OrderLineSerializer(many=True)

    class Meta:
        model = Order
        fields = (
            "id",
            "number",
            "status",
            "total",
            "delivery",
            "pay_by",
            "created_at",
            "paid_at",
            "shipped_at",
            "email",
            "full_name",
            "country",
            "line1",
            "line2",
            "postcode",
            "city",
            "lines",
        )


class PaymentSerializer(serializers.Serializer[Any]):
    """Where the payment goes on."""

    url = serializers.URLField()


class TroubleSerializer(serializers.Serializer[Any]):
    """Why something was not done."""

    detail = serializers.CharField()
