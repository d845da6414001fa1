"""Carts, orders, payments, and the mail that tells of them."""

import logging
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from payments.models import BasePayment

from accounts.models import AddressFields
from shop import money
from shop.catalogue.models import Variant
from shop.orders import payment_states

logger = logging.getLogger(__name__)


class Cart(models.Model):
    """A shopper's cart, or a guest's (found by the key in the session)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="cart"
    )
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return str(self.user or self.key)


class CartLine(models.Model):
    """So many of one variant."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE)
    quantity = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=["cart", "variant"], name="one_line_per_variant"),)

    def __str__(self) -> str:
        return f"{self.quantity} x {self.variant}"


class Order(AddressFields):  # type: ignore[django-manager-missing]  # django-payments has no types
    """What somebody has bought or is about to pay."""

    class Status(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment", _("Awaiting payment")
        PAID = "paid", _("Paid")
        SHIPPED = "shipped", _("Shipped")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Not paid in time")

    class Hold(models.TextChoices):
        """Who holds the units until they are paid: see `shop.orders.holds`."""

        STOCK = "stock", _("Ordinary stock")
        SALE = "sale", _("Flash sale")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="orders"
    )
    email = models.EmailField(_("e-mail"))
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.AWAITING_PAYMENT)
    hold = models.CharField(_("held by"), max_length=10, choices=Hold, default=Hold.STOCK)
    delivery = models.PositiveIntegerField(_("delivery"), default=0, help_text=_("In minor units."))
    total = models.PositiveIntegerField(_("total"), help_text=_("In minor units, delivery included."))
    language = models.CharField(max_length=10, default="en")
    pay_by = models.DateTimeField(_("pay by"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    shipped_at = models.DateTimeField(_("shipped"), null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(
                fields=["pay_by"],
                condition=models.Q(status="awaiting_payment"),
                name="order_unpaid_by_deadline",
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number that people say on the phone, such as `2026-00417`."""
        return f"{self.created_at.year}-{self.pk:05d}"

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.public_id])


class OrderLine(models.Model):
    """A line of an order, with the words and the price of the moment it was bought."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.SET_NULL, null=True)
    title = models.CharField(_("title"), max_length=300)
    sku = models.CharField(_("SKU"), max_length=100)
    price = models.PositiveIntegerField(_("price"), help_text=_("Of one, in minor units."))
    quantity = models.PositiveIntegerField(_("quantity"), default=1)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.quantity} x {self.title}"


class Payment(BasePayment):
    """An attempt to pay an order: django-payments asks the provider, `payment.py` settles its answer."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    settled_at = models.DateTimeField(
        _("settled"),
        null=True,
        editable=False,
        help_text=_("When its money was taken for the order or sent back."),
    )
    refund_next_try_at = models.DateTimeField(
        _("next try to refund"), null=True, editable=False, help_text=_("Empty: nothing is to be sent back.")
    )
    refund_tries = models.PositiveSmallIntegerField(_("tries to refund"), default=0, editable=False)

    # What `save` never writes: an instance may be older than the row, and money only moves forward.
    GUARDED: ClassVar = frozenset(
        {"status", "captured_amount", "settled_at", "refund_next_try_at", "refund_tries"}
    )

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(
                fields=["refund_next_try_at"],
                condition=models.Q(refund_next_try_at__isnull=False),
                name="refund_due",
            ),
        )

    def __str__(self) -> str:
        return f"{self.order} {self.status}"

    @property
    def amount(self) -> int:
        """What was asked for, in minor units."""
        return money.minor(self.total)

    @property
    def captured(self) -> int:
        """What the provider has taken and not sent back, in minor units."""
        return money.minor(self.captured_amount)

    @property
    def is_open(self) -> bool:
        """Whether it may still be paid at the provider's."""
        return self.status in payment_states.OPEN

    def save(self, **kwargs: Any) -> None:
        """Save; of a row that exists, everything but its state (see `change_status`)."""
        if self.pk and not kwargs.get("force_insert"):
            names = kwargs.get("update_fields") or [field.name for field in self._meta.concrete_fields]
            kwargs["update_fields"] = [name for name in names if name not in {*self.GUARDED, "id"}]
        super().save(**kwargs)

    def change_status(self, status: str, message: str = "") -> None:
        """Move forward along the one table of states; a step that it does not know changes nothing.

        A provider's answer, its webhook and our own sweep may all speak of the same payment at once: the row
        is locked, so that each sees where the others left it.
        """
        with transaction.atomic():
            rows = type(self).objects.select_for_update(of=("self",), no_key=True)
            was = rows.values_list("status", flat=True).get(pk=self.pk)
            if payment_states.may_follow(was, status):
                type(self).objects.filter(pk=self.pk).update(
                    status=status, message=message, modified=timezone.now()
                )
                self.status, self.message = status, message
                return
        self.status = was
        logger.info("payment %s stays %s: %s does not follow it", self.pk, was, status)

    def get_success_url(self) -> str:
        """Absolute address to which the provider sends the shopper back."""
        return f"{settings.SHOP_URL}" + reverse("payment-return", args=[self.token])

    def get_failure_url(self) -> str:
        """Absolute address for a shopper who turned back at the provider's: the order can still be paid."""
        return f"{settings.SHOP_URL}" + reverse("order-pay", args=[self.order.public_id])


class ProviderEvent(models.Model):
    """A webhook that was received: the provider may send it again, and it then does nothing."""

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "event_id"], name="one_row_per_event"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class StoredAnswer(models.Model):
    """The first answer to a submission or an API write; a repeat gets it again (source + sequence unique)."""

    source = models.CharField(max_length=100)
    sequence = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["source", "sequence"], name="one_answer_per_key"),)

    def __str__(self) -> str:
        return f"{self.source} {self.sequence}"


class OutboxMail(models.Model):
    """A mail that must leave: written in the transaction that makes it true, sent by Celery."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("Order received")
        RESERVED = "reserved", _("Reserved")
        PAID = "paid", _("Paid")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", _("Cancelled")
        REFUNDED = "refunded", _("Refunded")
        SHIPPED = "shipped", _("Shipped")
        STANDBY = "standby", _("Standby")
        PROMOTED = "promoted", _("Promoted")
        DISPLACED = "displaced", _("Displaced")
        PASSED_OVER = "passed_over", _("Passed over")
        STANDBY_OVER = "standby_over", _("Standby over")
        ENTRY_LINK = "entry_link", _("Link to enter a sale")
        REMINDER = "reminder", _("A sale opens soon")
        BACK_IN_STOCK = "back_in_stock", _("Back in stock")

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        SENT = "sent", _("Sent")
        PARKED = "parked", _("Parked")

    ref = models.CharField(max_length=100, help_text=_("Reservation or order it speaks of."))
    kind = models.CharField(max_length=20, choices=Kind)
    to = models.EmailField()
    language = models.CharField(max_length=10, default="en")
    context = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        constraints = (models.UniqueConstraint(fields=["ref", "kind"], name="one_mail_per_ref_and_kind"),)
        indexes = (
            models.Index(fields=["next_try_at"], condition=models.Q(status="pending"), name="outbox_due"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"


class Wish(models.Model):
    """A mail that somebody has asked for before something happens; gone once it is written."""

    email = models.EmailField()
    language = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.email


class StockNotice(Wish):
    """A mail when a variant can be bought again."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="notices")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["variant", "email"], name="one_notice_per_variant_and_email"),
        )


class NoMail(models.Model):
    """An address that wants none of the mails that people ask for (`Wish`)."""

    email = models.EmailField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.email
