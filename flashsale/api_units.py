"""What another unit of the shop may ask of this one, under /api/units/, with the units' common token."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import RetrieveAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flashsale import showing, transfers
from flashsale.api import WholeSaleSerializer
from flashsale.models import Sale
from flashsale.unit_client import Offer


class OfferSerializer(serializers.Serializer[Any]):
    """Units of a variant in a sale."""

    sale = serializers.SlugField(max_length=100)
    sku = serializers.CharField(max_length=100)
    units = serializers.IntegerField(min_value=1, max_value=1_000_000_000)


class IsUnit(BasePermission):
    """Whoever has the token, and says which region it is."""

    def has_permission(self, request: Request, _view: APIView) -> bool:
        """Whether a region asks."""
        given = request.headers.get("Authorization", "")
        is_one = bool(settings.UNIT_TOKEN) and constant_time_compare(given, f"Unit {settings.UNIT_TOKEN}")
        return is_one and request.headers.get("X-Region", "") in settings.UNITS


class UnitView(APIView):
    """No cookie, no user: the token is all."""

    authentication_classes = ()
    permission_classes = (IsUnit,)
    throttle_classes = ()


@extend_schema(exclude=True)
class TransferList(UnitView):
    """What is on its way to whoever asks."""

    def get(self, request: Request) -> Response:
        """List it."""
        found = transfers.on_their_way(region=request.headers["X-Region"])
        return Response([{"id": str(number)} | asdict(offer) for number, offer in found.items()])


@extend_schema(exclude=True)
class TransferDetail(UnitView):
    """One transfer to us."""

    def put(self, request: Request, number: UUID) -> Response:
        """Take the units in, once; say whether they arrived or are refused."""
        asked = OfferSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        region = request.headers["X-Region"]
        offer = Offer(**asked.validated_data)
        return Response({"state": transfers.accept(number=number, offer=offer, region=region)})

    def delete(self, request: Request, number: UUID) -> Response:
        """Refuse it for ever, unless it has arrived."""
        return Response({"state": transfers.refuse(number=number, region=request.headers["X-Region"])})


@extend_schema(exclude=True)
class WholeSale(UnitView, RetrieveAPIView[Sale]):
    """One sale with the checks at its entry, for a region that sells it too."""

    serializer_class = WholeSaleSerializer

    def get_queryset(self) -> QuerySet[Sale]:
        return showing.with_items(showing.public())


urlpatterns = [
    path("sales/<int:pk>/", conditional_page(WholeSale.as_view()), name="api-whole-sale"),
    path("transfers/", TransferList.as_view(), name="api-transfers"),
    path("transfers/<uuid:number>/", TransferDetail.as_view(), name="api-transfer"),
]
