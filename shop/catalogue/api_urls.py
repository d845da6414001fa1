"""Addresses of the catalogue under /api/catalogue/."""

from django.urls import path
from django.views.decorators.http import conditional_page

from shop.catalogue import api
from shop.replicas import read_from_replica

urlpatterns = [
    path("", conditional_page(read_from_replica(api.ProductList.as_view())), name="api-catalogue"),
    path("<int:pk>/", conditional_page(read_from_replica(api.ProductDetail.as_view())), name="api-product"),
]
