"""Sales for programs, under /api/sales/. Attempts are made at the gate, with the pass of the entry page."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from flashsale import pauses, showing
from flashsale.models import Pause, Sale, SaleItem
from flashsale.queue import fingerprint


class ItemSerializer(serializers.ModelSerializer[SaleItem]):
    """One variant in a sale; what is left stands in the gate's status document."""

    title = serializers.CharField(source="variant.__str__")
    sku = serializers.CharField(source="variant.sku")
    product = serializers.IntegerField(source="variant.product_id", help_text="Its id in the catalogue.")
    usual_price = serializers.IntegerField(source="variant.price", help_text="In minor units.")
    currency = serializers.SerializerMethodField(help_text="ISO 4217.")

    class Meta:
        model = SaleItem
        fields = (
            "id",
            "title",
            "sku",
            "product",
            "price",
            "usual_price",
            "currency",
            "quantity",
            "limit",
        )

    def get_currency(self, _item: SaleItem) -> str:
        return str(settings.SHOP_CURRENCY)


class QueueSerializer(serializers.ModelSerializer[Sale]):
    """How a sale's line is served and drawn; who is served when stands in the status document."""

    limit = serializers.IntegerField(
        source="queue_limit", allow_null=True, help_text="People who may wait at a time; null for no limit."
    )
    lots_at_open = serializers.BooleanField(source="shuffle_at_open")
    key_sha256 = serializers.SerializerMethodField(help_text="Of the key that orders the lots.")
    key = serializers.SerializerMethodField(
        allow_null=True, help_text="The key itself, once the sale has ended."
    )

    class Meta:
        model = Sale
        fields = ("rate", "limit", "tie_band", "lots_at_open", "key_sha256", "key")

    def get_key_sha256(self, sale: Sale) -> str:
        return fingerprint(sale.line_key)

    def get_key(self, sale: Sale) -> str | None:
        return sale.line_key if sale.phase == "ended" else None


class PauseSerializer(serializers.ModelSerializer[Pause]):
    """Why a sale is paused, in the language of the request, and until when the shop says more."""

    why = serializers.SerializerMethodField(help_text="Empty where no reason was given.")

    class Meta:
        model = Pause
        fields = ("since", "why", "news_at")

    def get_why(self, row: Pause) -> str:
        return pauses.sentence(row)


class SaleSerializer(serializers.ModelSerializer[Sale]):
    """A sale as everybody may see it; times in ISO 8601."""

    state = serializers.CharField(source="phase", help_text="coming, running, paused or ended.")
    url = serializers.SerializerMethodField(help_text="Its page.")
    status_url = serializers.SerializerMethodField(help_text="The public status document, once a second.")
    pause = serializers.SerializerMethodField(help_text="null where it is not paused.")
    queue = serializers.SerializerMethodField(help_text="null where nobody waits in line.")
    items = ItemSerializer(many=True)

    class Meta:
        model = Sale
        fields: tuple[str, ...] = (
            "id",
            "slug",
            "title",
            "description",
            "state",
            "pause",
            "opens_at",
            "closes_at",
            "pay_within",
            "standby_size",
            "min_account_days",
            "min_level",
            "list_excuses",
            "whitelist_only",
            "queue",
            "url",
            "status_url",
            "items",
        )

    @extend_schema_field(PauseSerializer(allow_null=True))
    def get_pause(self, sale: Sale) -> dict[str, Any] | None:
        row = pauses.current(sale)
        return PauseSerializer(row).data if row else None

    @extend_schema_field(QueueSerializer(allow_null=True))
    def get_queue(self, sale: Sale) -> dict[str, Any] | None:
        return QueueSerializer(sale).data if sale.rate else None

    @extend_schema_field(serializers.URLField())
    def get_url(self, sale: Sale) -> str:
        return self._absolute(sale.get_absolute_url())

    @extend_schema_field(serializers.URLField())
    def get_status_url(self, sale: Sale) -> str:
        return self._absolute(f"/gate/sales/{sale.pk}")

    def _absolute(self, address: str) -> str:
        return str(self.context["request"].build_absolute_uri(address))


class WholeSaleSerializer(SaleSerializer):
    """A sale as another region of ours may see it: with the checks at its entry, right answers included."""

    class Meta(SaleSerializer.Meta):
        fields = (*SaleSerializer.Meta.fields, "captcha", "question", "answers", "proof_of_work")


class SaleList(ListAPIView[Sale]):
    """Sales that are planned, running or over, the one that ends last first."""

    serializer_class = SaleSerializer

    def get_queryset(self) -> QuerySet[Sale]:
        return showing.with_items(showing.public()).order_by("-closes_at", "-pk")


class SaleDetail(RetrieveAPIView[Sale]):
    """One sale with its items."""

    serializer_class = SaleSerializer

    def get_queryset(self) -> QuerySet[Sale]:
        return showing.with_items(showing.public())


urlpatterns: list[Any] = [
    path("", SaleList.as_view(), name="api-sales"),
    path("<int:pk>/", conditional_page(SaleDetail.as_view()), name="api-sale"),
]
