"""Sales, their items, who may enter, and what became of every reservation: the truth of a sale."""

import secrets
import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from flashsale.records import Change, Entrance, Pause, Rehearsal, Sample
from shop.catalogue.models import Product, Variant
from shop.orders.models import Order, Wish

__all__ = [
    "Change",
    "Entrance",
    "ParkedEntry",
    "Pause",
    "Rehearsal",
    "Reservation",
    "Sale",
    "SaleItem",
    "Sample",
    "StandbyEntry",
    "WhitelistEntry",
]


def _new_line_key() -> str:
    return secrets.token_hex(16)


class Sale(models.Model):
    """So many units, for so long, for whoever may enter.

    Scheduled, it owns its units; closed, it has returned the rest.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        CLOSED = "closed", _("Closed")

    slug = models.SlugField(_("slug"), unique=True, max_length=100)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT, editable=False)
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    paused = models.BooleanField(_("paused"), default=False, editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)  # drafts only; see `drafts`
    epoch = models.PositiveIntegerField(
        _("epoch"),
        default=1,
        editable=False,
        help_text=_("Counts how often the store was built from the rows."),
    )
    warmed_at = models.DateTimeField(
        _("warmed up"),
        null=True,
        editable=False,
        help_text=_("When the store was first loaded; a store that is empty after that has lost its data."),
    )
    pay_within = models.PositiveIntegerField(
        _("time to pay"),
        default=600,
        validators=[MinValueValidator(5), MaxValueValidator(86_400)],
        help_text=_("Seconds from the reservation to its deadline."),
    )
    standby_size = models.PositiveIntegerField(
        _("standby places"),
        default=0,
        help_text=_("For each item; the next in line when somebody does not pay."),
    )
    rate = models.PositiveIntegerField(
        _("admission rate"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Shoppers served a second; empty for no limit, and then nobody waits in line."),
    )
    queue_limit = models.PositiveIntegerField(
        _("longest line"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("People who may wait at a time; the next one is told to come back. Empty for no limit."),
    )
    tie_band = models.PositiveSmallIntegerField(
        _("tie band"),
        default=0,
        validators=[MaxValueValidator(1000)],
        help_text=_(
            "Milliseconds within which arrivals count as one moment and are ordered by lot, so that a fast"
            " line does not beat a slow one; 0 for strictly first come, first served."
        ),
    )
    shuffle_at_open = models.BooleanField(
        _("draw lots at the opening"),
        default=False,
        help_text=_("Whoever lines up before the opening gets a place by lot when it opens."),
    )
    line_key = models.CharField(
        max_length=64,
        default=_new_line_key,
        editable=False,
        help_text=_("Orders the lots; its SHA-256 is public before the sale, itself after it."),
    )
    min_account_days = models.PositiveIntegerField(_("minimum account age in days"), default=0)
    min_level = models.PositiveSmallIntegerField(_("minimum level"), default=0)
    list_excuses = models.BooleanField(  # db_default: see `proof_of_work`
        _("or on the list"),
        default=False,
        db_default=False,
        help_text=_("An address on this sale's list needs neither the age nor the level."),
    )
    whitelist_only = models.BooleanField(
        _("only the list"), default=False, help_text=_("Only e-mail addresses on this sale's list may enter.")
    )
    captcha = models.BooleanField(_("captcha"), default=True)
    question = models.CharField(_("question"), max_length=300, blank=True)
    answers = models.TextField(
        _("right answers"), blank=True, help_text=_("One a line; capitals do not matter.")
    )
    proof_of_work = models.BooleanField(
        _("proof of work"),
        default=False,
        db_default=False,  # the release before may still write sales while this one starts
        help_text=_(
            "The browser calculates while the shopper reads, longer in a crowd, beside the other checks."
            " Without JavaScript one enters by a link that is sent by e-mail."
        ),
    )
    rehearsal_of = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        editable=False,
        related_name="rehearsals",
        help_text=_("The sale that this one rehearses; shoppers never see it and no stock is moved for it."),
    )

    class Meta:
        ordering = ("opens_at", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="closes_after_it_opens"),
            models.CheckConstraint(condition=Q(rate__isnull=True) | Q(rate__gt=0), name="rate_not_zero"),
            models.CheckConstraint(
                condition=Q(rate__isnull=False) | Q(tie_band=0, shuffle_at_open=False),
                name="lots_need_a_rate",
            ),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("sale", args=[self.slug])

    @property
    def phase(self) -> str:
        """`draft`, `coming`, `paused`, `running`, `ended`: for pages; the store's clock decides attempts."""
        now = timezone.now()
        if self.state == self.State.DRAFT:
            return "draft"
        if self.state == self.State.CLOSED or now >= self.closes_at:
            return "ended"
        if now < self.opens_at:
            return "coming"
        return "paused" if self.paused else "running"

    @property
    def asks_question(self) -> bool:
        """Whether a product question stands between the shopper and the pass."""
        return bool(self.question and self.answers.strip())

    def is_right_answer(self, answer: str) -> bool:
        """Whether `answer` is one of the right ones; capitals and outer white space do not matter."""
        right = {line.strip().casefold() for line in self.answers.splitlines()}
        return answer.strip().casefold() in right - {""}


class SaleItem(models.Model):
    """One variant in a sale. `held + paid + returned <= quantity` is the last word against overselling."""

    sale = models.ForeignKey(Sale, on_delete=models.CASCADE, related_name="items")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="sale_items")
    price = models.PositiveIntegerField(_("sale price"), help_text=_("In minor units: 4900 is 49.00."))
    quantity = models.PositiveIntegerField(_("quantity"), validators=[MinValueValidator(1)])
    limit = models.PositiveSmallIntegerField(
        _("limit per shopper"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("Units, one after another."),
    )
    held = models.PositiveIntegerField(_("held"), default=0, editable=False)
    paid = models.PositiveIntegerField(_("paid"), default=0, editable=False)
    returned = models.PositiveIntegerField(_("returned"), default=0, editable=False)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["sale", "variant"], name="one_item_per_variant"),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("held") + F("paid") + F("returned")), name="never_oversold"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="quantity_not_zero"),
        )

    def __str__(self) -> str:
        return f"{self.sale}: {self.variant}"

    @property
    def free(self) -> int:
        """Units that nobody holds, has paid or that have been returned, as far as the rows know."""
        return self.quantity - self.held - self.paid - self.returned

    @property
    def is_shipped(self) -> bool:
        """Whether it is sent to an address; what is collected, and a slot, is not."""
        return self.variant.product.kind == Product.Kind.SHIPPED

    @property
    def delivery(self) -> int:
        """What it costs to send one unit, in minor units."""
        return settings.DELIVERY_PRICE if self.is_shipped else 0

    @property
    def total(self) -> int:
        """What one unit costs with its delivery, in minor units."""
        return self.price + self.delivery


class WhitelistEntry(models.Model):
    """An e-mail address that may enter a sale; always in lower case."""

    sale = models.ForeignKey(Sale, on_delete=models.CASCADE, related_name="whitelist")
    email = models.EmailField(_("e-mail"))

    class Meta:
        verbose_name_plural = _("whitelist entries")
        constraints = (models.UniqueConstraint(fields=["sale", "email"], name="one_entry_per_email"),)

    def __str__(self) -> str:
        return self.email


class Reservation(models.Model):
    """A unit that a shopper holds until `pay_by`, and what became of it. `rid` comes from the store."""

    class Status(models.TextChoices):
        HELD = "held", _("Held")
        PAID = "paid", _("Paid")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", _("Given back")
        DISPLACED = "displaced", _("Displaced")
        REFUSED = "refused", _("Passed over")

    rid = models.CharField(_("reservation"), max_length=60, unique=True)
    item = models.ForeignKey(SaleItem, on_delete=models.PROTECT, related_name="reservations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reservations")
    order = models.OneToOneField(Order, on_delete=models.PROTECT, null=True, related_name="reservation")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.HELD)
    epoch = models.PositiveIntegerField(_("epoch"))
    promoted = models.BooleanField(_("from standby"), default=False)
    standby_number = models.PositiveIntegerField(
        _("standby number"), default=0, db_default=0, help_text=_("Of the place it came from; 0 for none.")
    )
    refusal = models.CharField(
        _("why passed over"),
        max_length=8,
        blank=True,
        help_text=_("The code of the rule that refused a promotion: see `eligibility.Code`."),
    )
    reserved_at = models.DateTimeField(_("reserved"), help_text=_("By the store's clock."))
    pay_by = models.DateTimeField(_("pay by"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    store_told_at = models.DateTimeField(
        null=True, help_text=_("When the store heard of the end; empty while it must still be told.")
    )
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints = (
            models.UniqueConstraint(
                fields=["item", "user"], condition=Q(status="held"), name="one_live_reservation"
            ),
        )
        indexes = (
            models.Index(fields=["pay_by"], condition=Q(status="held"), name="held_by_deadline"),
            models.Index(
                fields=["item"],
                condition=Q(store_told_at__isnull=True) & ~Q(status="held"),
                name="store_not_told",
            ),
        )

    def __str__(self) -> str:
        return self.rid

    def get_absolute_url(self) -> str:
        return reverse("reservation", args=[self.rid])

    @property
    def time_left(self) -> timedelta:
        """Time until the deadline; never negative."""
        return max(self.pay_by - timezone.now(), timedelta())


class StandbyEntry(models.Model):
    """A shopper's place on standby, as the store numbered it, and what became of it."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        PROMOTED = "promoted", _("Promoted")
        LEFT = "left", _("Left")
        CLOSED = "closed", _("Standby over")
        REFUSED = "refused", _("Passed over")

    item = models.ForeignKey(SaleItem, on_delete=models.PROTECT, related_name="standby")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="standby")
    epoch = models.PositiveIntegerField(_("epoch"))
    number = models.PositiveIntegerField(_("number"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    joined_at = models.DateTimeField(_("joined"), help_text=_("By the store's clock."))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        ordering = ("number",)
        verbose_name_plural = _("standby entries")
        constraints = (
            models.UniqueConstraint(fields=["item", "epoch", "number"], name="one_standby_number"),
        )

    def __str__(self) -> str:
        return f"{self.item_id} standby {self.number}"


class Reminder(Wish):
    """A mail before a sale opens."""

    sale = models.ForeignKey(Sale, on_delete=models.CASCADE, related_name="reminders")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sale", "email"], name="one_reminder_per_sale_and_email"),
        )


class Transfer(models.Model):
    """Units of an item on their way to another unit of the shop, or from there; see `transfers`.

    `id` is the same on both sides, and each side decides it once: what was refused never arrives later.
    """

    class State(models.TextChoices):
        LEAVING = "leaving", _("Leaving")
        SENT = "sent", _("On the way")
        DELIVERED = "delivered", _("Delivered")
        BACK = "back", _("Came back")
        ARRIVED = "arrived", _("Arrived")
        REFUSED = "refused", _("Refused")
        STOCK = "stock", _("In ordinary stock")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(SaleItem, on_delete=models.PROTECT, null=True, related_name="transfers")
    region = models.CharField(_("other region"), max_length=40, blank=True)  # empty: ordinary stock, here
    units = models.PositiveIntegerField(_("units"), validators=[MinValueValidator(1)])
    state = models.CharField(_("state"), max_length=10, choices=State, editable=False)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return str(self.id)


class ParkedEntry(models.Model):
    """A stream entry that could not be recorded; its unit stays held until somebody looks."""

    sale = models.ForeignKey(Sale, on_delete=models.CASCADE)
    entry_id = models.CharField(max_length=40)
    fields = models.JSONField()
    error = models.TextField()
    parked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = _("parked entries")
        constraints = (models.UniqueConstraint(fields=["sale", "entry_id"], name="parked_once"),)

    def __str__(self) -> str:
        return self.entry_id
