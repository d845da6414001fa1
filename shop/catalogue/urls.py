"""Addresses."""

from django.urls import path

from shop.catalogue import views

urlpatterns = [
    path("", views.home, name="home"),
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/<int:pk>/", views.product, name="product"),
    path("catalogue/<int:pk>/<str:slug>/", views.product, name="product"),
    path("search/", views.find, name="search"),
]
