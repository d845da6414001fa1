"""Addresses under /sales/. No sale may be called `reservations`."""

from django.urls import path

from flashsale import views, views_attempt, views_coming, views_entry, views_ready, views_reservations
from flashsale.sitemaps import Sales
from shop.sitemaps import section

urlpatterns = [
    path("sales/", views.sales, name="sales"),
    path("sales/sitemap.xml", section(sales=Sales), name="sales-sitemap"),
    path("sales/reservations/", views_reservations.reservations, name="reservations"),
    path("sales/reservations/<slug:rid>/", views_reservations.reservation, name="reservation"),
    path("sales/reservations/<slug:rid>/give-back/", views_reservations.give_back, name="give-back"),
    path("sales/<slug:slug>/", views.sale, name="sale"),
    path("sales/<slug:slug>/remind/", views_coming.remind, name="sale-remind"),
    path("sales/<slug:slug>/calendar.ics", views_coming.ics, name="sale-calendar"),
    path("sales/<slug:slug>/enter/", views_entry.sale_enter, name="sale-enter"),
    path("sales/<slug:slug>/ready/", views_ready.sale_ready, name="sale-ready"),
    path("sales/<slug:slug>/items/<int:item>/", views_attempt.sale_result, name="sale-result"),
    path("sales/<slug:slug>/items/<int:item>/attempt/", views_attempt.sale_attempt, name="sale-attempt"),
    path("sales/<slug:slug>/items/<int:item>/leave/", views_attempt.sale_leave, name="sale-leave"),
]
