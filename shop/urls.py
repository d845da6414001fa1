"""Every address of the shop; the gate's `/gate/` is answered by a process of its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("shop.catalogue.urls")),
    path("", include("shop.orders.urls")),
    path("", include("flashsale.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/", include("shop.api")),
    path("admin/", admin.site.urls),
    path("", include("shop.health")),
    path("", include("shop.help")),
]
