"""Addresses of the catalogue under /api/catalogue/."""

from django.urls import path

from shop.catalogue import api

urlpatterns = [
    path("", api.ProductList.as_view(), name="api-catalogue"),
    path("<int:pk>/", api.ProductDetail.as_view(), name="api-product"),
]
