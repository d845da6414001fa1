"""Shoppers in the admin: find one, see what the sales see of them, block and unblock."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import standing
from accounts.models import Address, User

admin.site.unregister(Group)
admin.site.unregister(
    Authenticator
)  # its pages would show the secrets; `manage.py reset_second_step` forgets one


class AddressInline(TabularInline):
    """A shopper's addresses, to be read to them on the phone."""

    model = Address
    extra = 0
    fields = ("full_name", "line1", "line2", "postcode", "city", "country", "is_default")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Who may do what; `manage.py setup_groups` makes the groups."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Shoppers and staff, known by their e-mail address."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (AddressInline,)
    ordering = ("-date_joined",)
    list_display = ("email", "level", "standing", "date_joined", "order_count", "is_staff")
    list_filter = ("standing", "level", "is_staff", "is_active", "groups", "date_joined")
    search_fields = ("email", "first_name", "last_name")
    readonly_fields = ("date_joined", "last_login", "order_count")
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    actions = ("block", "unblock")
    fieldsets = (
        (None, {"fields": ("email", "password", "first_name", "last_name")}),
        (_("For sales"), {"fields": ("level", "standing")}),
        (_("So far"), {"fields": ("date_joined", "last_login", "order_count")}),
        (_("Staff"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    staff_fields = ("is_staff", "is_superuser", "groups")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Count the orders in the same query."""
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(orders_so_far=Count("orders"))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Only a superuser decides who belongs to the staff."""
        fixed = tuple(super().get_readonly_fields(request, obj))
        return fixed if request.user.is_superuser else (*fixed, *self.staff_fields)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody but a superuser changes a superuser: that would be a way to become one."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or request.user.is_superuser)

    @admin.display(description=_("Orders"), ordering="orders_so_far")
    def order_count(self, user: User) -> int:
        """How many orders the shopper ever placed."""
        count: int = user.orders_so_far  # type: ignore[attr-defined]
        return count

    @admin.action(description=_("Block for sales"), permissions=["change"])
    def block(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Keep the chosen shoppers out of sales; they may still log in and shop."""
        self._say(request, standing.block(users=users))

    @admin.action(description=_("Unblock"), permissions=["change"])
    def unblock(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Let the chosen shoppers into sales again."""
        self._say(request, standing.unblock(users=users))

    def _say(self, request: HttpRequest, count: int) -> None:
        text = ngettext("%(count)d account was changed.", "%(count)d accounts were changed.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    def get_inlines(self, _request: HttpRequest, obj: Any) -> tuple[type[TabularInline], ...]:
        """Addresses belong to somebody who exists."""
        return self.inlines if obj else ()
