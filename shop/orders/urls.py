"""Addresses."""

from django.urls import path

from shop.orders import webhooks
from shop.orders.views import cart, checkout, devmail, orders, pay, wishes

urlpatterns = [
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.add, name="cart-add"),
    path("cart/update/", cart.update, name="cart-update"),
    path("cart/remove/", cart.remove, name="cart-remove"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("orders/", orders.orders, name="orders"),
    path("orders/<uuid:public_id>/", orders.order, name="order"),
    path("orders/<uuid:public_id>/cancel/", orders.cancel, name="order-cancel"),
    path("orders/<uuid:public_id>/again/", orders.again, name="order-again"),
    path("orders/<uuid:public_id>/pay/", pay.pay, name="order-pay"),
    path("orders/<uuid:public_id>/address/", pay.address, name="order-address"),
    path("payments/stripe/", webhooks.stripe, name="stripe-webhook"),
    path("payments/<uuid:token>/", pay.provider, name="payment"),
    path("payments/<uuid:token>/return/", pay.back, name="payment-return"),
    path("notices/<int:pk>/", wishes.stock_notice, name="stock-notice"),
    path("mail/stop/<str:signed>/", wishes.no_mail, name="no-mail"),
    path("dev/mail/", devmail.mails, name="dev-mail"),
    path("dev/mail/<str:source>/<str:name>/", devmail.mail, name="dev-mail-one"),
]
