"""Addresses under /api/."""

from django.urls import path

from shop.orders.api import views

urlpatterns = [
    path("cart/", views.cart, name="api-cart"),
    path("checkout/", views.checkout, name="api-checkout"),
    path("orders/", views.OrderList.as_view(), name="api-orders"),
    path("orders/<uuid:public_id>/", views.OrderDetail.as_view(), name="api-order"),
    path("orders/<uuid:public_id>/cancel/", views.cancel, name="api-order-cancel"),
    path("orders/<uuid:public_id>/pay/", views.pay, name="api-order-pay"),
]
