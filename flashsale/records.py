"""What the cockpit remembers of a sale: who was let in, how it went second by second, who changed what."""

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _


class Entrance(models.Model):
    """A shopper was let into a sale, for the first time; `network`: his /24 (IPv6: /48), no address."""

    sale = models.ForeignKey("flashsale.Sale", on_delete=models.CASCADE, related_name="entrances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="entrances")
    network = models.CharField(_("network"), max_length=50, blank=True)
    at = models.DateTimeField(_("entered"))

    class Meta:
        constraints = (models.UniqueConstraint(fields=["sale", "user"], name="entered_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.sale_id}"


class Sample(models.Model):
    """One look at a running sale. Units as the store counts them, over all items; times in ms.

    `outcomes` are the attempts answered so far by outcome, `shoppers` how many people made them (estimated),
    `tries` how many of a sample of them tried how often (groups of `stock.TRIES`); empty where nobody did.
    `refused` are the posts turned away at the entry so far, by limit (names of `refusals.NAMES`).
    """

    sale = models.ForeignKey("flashsale.Sale", on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    free = models.PositiveIntegerField()
    held = models.PositiveIntegerField()
    paid = models.PositiveIntegerField()
    returned = models.PositiveIntegerField()
    standby = models.PositiveIntegerField()
    issued = models.PositiveIntegerField(default=0)
    served = models.PositiveIntegerField(default=0)
    outcomes = models.JSONField(default=dict)
    refused = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    shoppers = models.PositiveIntegerField(default=0)
    tries = models.JSONField(default=list)
    unrecorded = models.PositiveIntegerField(default=0)
    oldest_unrecorded = models.PositiveIntegerField(default=0)
    recorded = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("at", "pk")
        indexes = (models.Index(fields=["sale", "at"], name="samples_in_order"),)

    def __str__(self) -> str:
        return f"{self.sale_id} at {self.at:%H:%M:%S}"

    @property
    def attempts(self) -> int:
        """Attempts answered so far."""
        return sum(self.outcomes.values())


class Change(models.Model):
    """What an entry of the admin's log does not hold: before, after, and why."""

    entry = models.OneToOneField(LogEntry, on_delete=models.CASCADE, primary_key=True, related_name="change")
    before = models.CharField(_("before"), max_length=300, blank=True)
    after = models.CharField(_("after"), max_length=300, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class Pause(models.Model):
    """Why a sale stands still, since when, and until when the shop has said that it will say more.

    `reason` is empty where none was given; `words` are the operator's own, shown as he wrote them. One pause
    of a sale is open at a time; `ended_at` is set when the sale goes on.
    """

    class Reason(models.TextChoices):
        CHECK = "check", _("The shop is checking something about this sale.")
        FAULT = "fault", _("A technical fault is being mended.")
        PAYMENT = "payment", _("Payments do not go through at the moment.")
        COUNTS = "counts", _("Two records of who has reserved differ, and the shop is checking them.")
        MEMORY = "memory", _("The memory of the sale is being built anew from what was written down.")

    sale = models.ForeignKey("flashsale.Sale", on_delete=models.CASCADE, related_name="pauses")
    since = models.DateTimeField(_("since"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, blank=True)
    words = models.CharField(_("in words"), max_length=200, blank=True)
    news_at = models.DateTimeField(_("next news"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["sale"], condition=Q(ended_at__isnull=True), name="one_open_pause"
            ),
        )

    def __str__(self) -> str:
        return f"{self.sale_id} since {self.since:%H:%M:%S}"


class Rehearsal(models.Model):
    """A rehearsal that somebody started in the admin: who came, how far it is, and what was measured."""

    sale = models.ForeignKey("flashsale.Sale", on_delete=models.CASCADE, related_name="rehearsed")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    cast = models.JSONField(help_text=_("See `rehearsal.playing.Cast`."))
    done = models.PositiveIntegerField(default=0)
    outcome = models.JSONField(null=True, help_text=_("See `rehearsal.verdict.Outcome`."))
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.sale} {self.started_at:%Y-%m-%d %H:%M}"
