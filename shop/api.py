"""Addresses of the REST API and of its documentation."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("catalogue/", include("shop.catalogue.api_urls")),
    path("sales/", include("flashsale.api")),
    path("units/", include("flashsale.api_units")),
    path("", include("shop.orders.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
