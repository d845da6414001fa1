"""Shoppers and their addresses."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Creates users who log in with their e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a shopper; raises ValueError without an e-mail address."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with every permission."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A shopper or a member of staff. `level` and `standing` decide who may enter a sale."""

    class Standing(models.TextChoices):
        OK = "ok", _("OK")
        BLOCKED = "blocked", _("Blocked")

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail"), unique=True)
    level = models.PositiveSmallIntegerField(_("level"), default=0)
    standing = models.CharField(_("standing"), max_length=10, choices=Standing, default=Standing.OK)

    language = models.CharField(
        _("language"),
        max_length=10,
        default="en",
        db_default="en",
        help_text=_("In which mails are written: the one in which the shopper last logged in."),
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        constraints = (
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="email_in_lower_case"),
        )

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """Keep the e-mail address in lower case: `unique` and the lists of sales compare letter by letter."""
        super().clean()
        self.email = self.email.lower()

    def speaks(self, language: str | None) -> None:
        """Write mails in this language from now on; nothing is written where it is so already."""
        if language and language != self.language:
            self.language = language
            self.save(update_fields=["language"])


class AddressFields(models.Model):
    """Where something is sent; shared by a shopper's addresses and by orders."""

    full_name = models.CharField(_("full name"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    line1 = models.CharField(_("address"), max_length=200, blank=True)
    line2 = models.CharField(_("flat, unit"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)

    class Meta:
        abstract = True


class Address(AddressFields):
    """One of a shopper's addresses; the default one is offered first at checkout."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses")
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        ordering = ("-is_default", "pk")
        verbose_name_plural = _("addresses")
        constraints = (
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default=True), name="one_default_address"
            ),
        )

    def __str__(self) -> str:
        return f"{self.full_name}, {self.line1}, {self.city}"
