"""Products, their variants and their ordinary stock."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Category(models.Model):
    """A shelf of the shop."""

    slug = models.SlugField(_("slug"), unique=True, max_length=100)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ("position", "name")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something that is sent, collected, or a slot: a place and a time."""

    class Kind(models.TextChoices):
        SHIPPED = "shipped", _("Shipped")
        COLLECTED = "collected", _("Collected")
        SLOT = "slot", _("Slot")

    handle = models.SlugField(_("handle"), unique=True, max_length=200)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("description"), blank=True, help_text=_("HTML; cleaned when it is saved."))
    vendor = models.CharField(_("vendor"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SHIPPED)
    category = models.ForeignKey(
        Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="products"
    )
    published = models.BooleanField(_("published"), default=True)
    option_names = models.JSONField(_("option names"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    search = SearchVectorField(null=True, editable=False)

    class Meta:
        ordering = ("title",)
        indexes = (
            GinIndex(fields=["search"], name="product_search"),
            GinIndex(fields=["title"], opclasses=["gin_trgm_ops"], name="product_title_trigram"),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("product", args=[self.pk, self.handle])


class ProductImage(models.Model):
    """A picture: the name of a static file (`products/lamp.svg`), or an address on the web."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    source = models.CharField(_("source"), max_length=500)
    alt = models.CharField(_("what it shows"), max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        ordering = ("position", "pk")
        constraints = (models.UniqueConstraint(fields=["product", "source"], name="one_image_per_source"),)

    def __str__(self) -> str:
        return self.source


class Variant(models.Model):
    """What is bought: one size or colour of a product, with a price in minor units and ordinary stock."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    sku = models.CharField(_("SKU"), max_length=100, unique=True)
    options = models.JSONField(
        _("options"), default=list, blank=True, help_text=_("Values, in order of the names.")
    )
    price = models.PositiveIntegerField(_("price"), help_text=_("In minor units: 4900 is 49.00."))
    compare_at = models.PositiveIntegerField(_("compare-at price"), null=True, blank=True)
    stock = models.PositiveIntegerField(_("stock"), default=0)
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    slot_place = models.CharField(_("place"), max_length=200, blank=True)
    slot_starts_at = models.DateTimeField(_("time"), null=True, blank=True)

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.CheckConstraint(condition=models.Q(stock__gte=0), name="stock_not_negative"),
            models.UniqueConstraint(fields=["product", "options"], name="one_variant_per_options"),
        )

    def __str__(self) -> str:
        return f"{self.product.title} ({self.label})" if self.label else self.product.title

    @property
    def label(self) -> str:
        """The option values in words, such as `Sand / Large`; empty for a product without options."""
        return " / ".join(value for value in self.options if value and value != "Default Title")
