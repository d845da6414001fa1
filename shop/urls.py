"""Every address of the shop; the gate's `/gate/` is answered by a process of its own."""

from django.contrib import admin
from django.urls import include, path

from accounts import second_step
from accounts.guesses import limited_login

# The admin's door takes guesses like the shop's, and nobody past it who owes the second step.
admin.site.login = second_step.admin_door(limited_login(admin.site.login))  # type: ignore[arg-type, method-assign]
admin.site.has_permission = second_step.may_enter(admin.site.has_permission)  # type: ignore[assignment, method-assign]

handler404 = "shop.troubles.page_missing"
handler500 = "shop.troubles.page_failed"

urlpatterns = [
    path("", include("shop.catalogue.urls")),
    path("", include("shop.orders.urls")),
    path("", include("flashsale.urls")),
    path("", include("flashsale.views_edge")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/", include("shop.api")),
    path("admin/", admin.site.urls),
    path("", include("shop.health")),
    path("", include("shop.help")),
    path("", include("shop.preferences")),
    path("", include("shop.sitemaps")),
]
