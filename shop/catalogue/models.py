"""Products, their variants and their ordinary stock."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from shop.catalogue import pictures

FEW = 5
"""At most this many units left are told to the shopper as a number."""


class Category(models.Model):
    """A shelf of the shop."""

    slug = models.SlugField(_("slug"), unique=True, max_length=100, allow_unicode=True)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ("position", "name")
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalogue", query={"category": self.slug})


class ProductQuerySet(models.QuerySet["Product"]):
    """Products as shoppers see them."""

    def published(self) -> Self:
        """Those that are shown: published, and with a variant that can be bought or was."""
        return self.filter(
            models.Exists(Variant.objects.filter(product=models.OuterRef("pk"))), published=True
        )

    def priced(self) -> Self:
        """With `lowest`: the price of `cheapest`, in minor units."""
        gone = models.Case(models.When(stock=0, then=1), default=0)
        cheapest = Variant.objects.filter(product=models.OuterRef("pk")).order_by(gone, "price")
        return self.annotate(lowest=models.Subquery(cheapest.values("price")[:1]))

    def with_parts(self) -> Self:
        """With category, variants and pictures: three queries for any number of products."""
        return self.defer("search").select_related("category").prefetch_related("variants", "images")


def _searched() -> models.expressions.CombinedExpression:
    """What a search looks at. The database keeps it, whoever writes the row."""
    title = SearchVector("title", weight="A", config="english")
    labels = SearchVector("vendor", "tags", weight="B", config="english")
    return title + labels + SearchVector("body", weight="C", config="english")


class Product(models.Model):
    """Something that is sent, collected, or a slot: a place and a time."""

    class Kind(models.TextChoices):
        SHIPPED = "shipped", _("Shipped")
        COLLECTED = "collected", _("Collected")
        SLOT = "slot", _("Slot")

    handle = models.SlugField(_("handle"), unique=True, max_length=200, allow_unicode=True)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("description"), blank=True, help_text=_("HTML; cleaned when it is saved."))
    vendor = models.CharField(_("vendor"), max_length=100, blank=True)
    tags = models.CharField(
        _("tags"), max_length=500, blank=True, help_text=_("Words for the search, with commas between.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SHIPPED)
    category = models.ForeignKey(
        Category,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("category"),
    )
    published = models.BooleanField(_("published"), default=True)
    option_names = models.JSONField(
        _("option names"), default=list, blank=True, help_text=_('Such as ["Colour", "Size"].')
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    search = models.GeneratedField(
        expression=_searched(), output_field=SearchVectorField(), db_persist=True, editable=False
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("title",)
        verbose_name = _("product")
        verbose_name_plural = _("products")
        indexes = (
            GinIndex(fields=["search"], name="product_search"),
            GistIndex(OpClass("title", name="gist_trgm_ops"), name="product_title_trigram"),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("product", args=[self.pk, self.handle])

    @property
    def cheapest(self) -> "Variant":
        """The variant whose price stands on the card: the cheapest that can be had, else the cheapest."""
        return min(self.variants.all(), key=lambda variant: (not variant.stock, variant.price, variant.pk))

    @property
    def has_many_prices(self) -> bool:
        """Whether each variant is to be listed with its own price."""
        return len({variant.price for variant in self.variants.all()}) > 1

    @property
    def is_from_price(self) -> bool:
        """Whether "from" stands before the price: a variant that can be had costs more than `cheapest`."""
        lowest = self.cheapest.price
        return any(variant.stock and variant.price > lowest for variant in self.variants.all())

    @property
    def units(self) -> int:
        """Units in ordinary stock, all variants together."""
        return sum(variant.stock for variant in self.variants.all())

    @property
    def is_sold_out(self) -> bool:
        return self.units == 0

    @property
    def has_sold_out(self) -> bool:
        """Whether a variant is sold out."""
        return any(variant.is_sold_out for variant in self.variants.all())

    @property
    def has_few(self) -> bool:
        """Whether so few are left that their number is told."""
        return 0 < self.units <= FEW

    @property
    def pictures(self) -> "list[ProductImage]":
        """What a page shows: the shop's own pictures, or one neutral picture for all that are elsewhere."""
        images = list(self.images.all())
        return [image for image in images if image.is_own] or images[:1]


class ProductImage(models.Model):
    """A picture: the name of a static file (`products/lamp.svg`), or an address on the web."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    source = models.CharField(_("source"), max_length=500)
    alt = models.CharField(_("what it shows"), max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints = (models.UniqueConstraint(fields=["product", "source"], name="one_image_per_source"),)

    def __str__(self) -> str:
        return self.source

    @property
    def is_own(self) -> bool:
        """Whether the shop serves it; pages show no pictures of other hosts (see `pictures.address`)."""
        return pictures.is_own(self.source)

    @property
    def url(self) -> str:
        return pictures.address(self.source)


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
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        constraints = (
            models.CheckConstraint(condition=models.Q(stock__gte=0), name="stock_not_negative"),
            # Looked at when the transaction ends: an import may swap the options of two variants.
            models.UniqueConstraint(
                fields=["product", "options"],
                name="one_variant_per_options",
                deferrable=models.Deferrable.DEFERRED,
            ),
        )

    def __str__(self) -> str:
        return f"{self.product.title} ({self.label})" if self.label else self.product.title

    @property
    def label(self) -> str:
        """The option values in words, such as `Sand / Large`; empty for a product without options."""
        return " / ".join(value for value in self.options if value and value != "Default Title")

    @property
    def is_sold_out(self) -> bool:
        return self.stock == 0

    @property
    def has_few(self) -> bool:
        """Whether so few are left that their number is told."""
        return 0 < self.stock <= FEW
