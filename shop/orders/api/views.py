"""Cart, checkout and orders of the shopper who is logged in (by session or token)."""

import json
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, permission_classes
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from shop.catalogue.models import Variant
from shop.orders import carts, endings, payment, placing
from shop.orders.api import once
from shop.orders.api.serializers import (
    CartSerializer,
    CheckoutSerializer,
    OrderSerializer,
    PaymentSerializer,
    TroubleSerializer,
    WantedLineSerializer,
)
from shop.orders.forms import CheckoutForm
from shop.orders.idempotency import Answer
from shop.orders.models import Cart, Order
from shop.orders.placing import Draft


@extend_schema(methods=["GET"], responses=CartSerializer)
@extend_schema(
    methods=["POST"],
    summary="Put so many more of a variant into the cart",
    request=WantedLineSerializer,
    parameters=[once.parameter()],
    responses={200: CartSerializer, 409: TroubleSerializer},
)
@extend_schema(
    methods=["PUT"],
    summary="Set how many of a variant are in the cart; 0 takes it out",
    request=WantedLineSerializer,
    parameters=[once.parameter()],
    responses={200: CartSerializer, 409: TroubleSerializer},
)
@api_view(["GET", "POST", "PUT"])
@permission_classes([IsAuthenticated])
def cart(request: Request) -> Response:
    """The shopper's cart."""
    key = once.key_of(request)
    own = carts.opened_for(cast(User, request.user))
    if request.method == "GET":
        return Response(_cart(own))
    wanted = WantedLineSerializer(data=request.data)
    wanted.is_valid(raise_exception=True)
    variant = get_object_or_404(
        Variant.objects.select_related("product"),
        pk=wanted.validated_data["variant"],
        product__published=True,
    )
    quantity: int = wanted.validated_data["quantity"]

    def act() -> Answer:
        if request.method == "PUT":
            carts.update(cart=own, variant_id=variant.pk, quantity=quantity)
        else:
            carts.add(cart=own, variant=variant, quantity=quantity)
        return Answer(status=200, body=_cart(own))

    return once.write(key, act)


@extend_schema(
    summary="Order what is in the cart",
    request=CheckoutSerializer,
    parameters=[once.parameter(required=True)],
    responses={201: OrderSerializer, 409: TroubleSerializer, 422: TroubleSerializer},
)
@api_view(["POST"])
@permission_classes([IsAuthenticated])
def checkout(request: Request) -> Response:
    """Place the order: once for each Idempotency-Key."""
    key = once.required(once.key_of(request))
    own = carts.opened_for(cast(User, request.user))
    draft = _draft(request, own)
    return once.respond(lambda: placing.place(key=key, draft=draft, tell=_created, wait=False))


class OrderList(ListAPIView[Order]):
    """The shopper's orders, the newest first."""

    permission_classes = (IsAuthenticated,)
    serializer_class = OrderSerializer

    def get_queryset(self) -> QuerySet[Order]:
        """Return his own."""
        return Order.objects.filter(user=self.request.user.pk).prefetch_related("lines")


class OrderDetail(RetrieveAPIView[Order]):
    """One of the shopper's orders."""

    permission_classes = (IsAuthenticated,)
    serializer_class = OrderSerializer
    lookup_field = "public_id"

    def get_queryset(self) -> QuerySet[Order]:
        """Return his own."""
        return Order.objects.filter(user=self.request.user.pk).prefetch_related("lines")


@extend_schema(
    summary="Cancel an order that is not paid yet",
    request=None,
    parameters=[once.parameter()],
    responses={200: OrderSerializer, 409: TroubleSerializer},
)
@api_view(["POST"])
@permission_classes([IsAuthenticated])
def cancel(request: Request, public_id: str) -> Response:
    """Cancel it; its units are free again."""
    order = get_object_or_404(Order, user=request.user.pk, public_id=public_id)

    def act() -> Answer:
        endings.cancel(order=order)
        order.refresh_from_db()
        return Answer(status=200, body=_order(order))

    return once.write(once.key_of(request), act)


@extend_schema(
    summary="Begin to pay, or go on",
    request=None,
    parameters=[once.parameter()],
    responses={200: PaymentSerializer, 409: TroubleSerializer},
)
@api_view(["POST"])
@permission_classes([IsAuthenticated])
def pay(request: Request, public_id: str) -> Response:
    """Answer with the page at which the shopper pays; asking again leads to the same payment."""
    order = get_object_or_404(Order, user=request.user.pk, public_id=public_id)

    def act() -> Answer:
        started = payment.start(order=order, variant=settings.PAYMENT_DEFAULT)
        url = f"{settings.SHOP_URL}{reverse('payment', args=[started.token])}"
        return Answer(status=200, body={"url": url})

    return once.write(once.key_of(request), act)


def _cart(own: Cart) -> dict[str, Any]:
    lines = carts.lines(own)
    sums = carts.sums(lines)
    whole = {"lines": lines, "goods": sums.goods, "delivery": sums.delivery, "total": sums.total}
    return _plain(CartSerializer(whole | {"currency": settings.SHOP_CURRENCY}).data)


def _order(order: Order) -> dict[str, Any]:
    return _plain(OrderSerializer(order).data)


def _created(order: Order) -> Answer:
    return Answer(status=201, body=_order(order))


def _draft(request: Request, own: Cart) -> Draft:
    """Read the order with the same form as the page; raises ValidationError."""
    wanted = CheckoutSerializer(data=request.data)
    wanted.is_valid(raise_exception=True)
    is_shipped = carts.sums(carts.lines(own)).is_shipped
    form = CheckoutForm(wanted.validated_data, asks_email=False, asks_address=is_shipped)
    if not form.is_valid():
        raise ValidationError({name: [str(one) for one in errors] for name, errors in form.errors.items()})
    user = cast(User, request.user)
    return Draft(
        cart=own,
        email=user.email,
        total=wanted.validated_data["total"],
        language=get_language() or "en",
        user=user,
        address=form.address(),
    )


def _plain(data: Any) -> dict[str, Any]:
    """Turn what a serializer returns into plain JSON, as it is stored and sent."""
    plain: dict[str, Any] = json.loads(JSONRenderer().render(data))
    return plain
