"""Cart, checkout, orders."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "shop"

urlpatterns = [
    path("cart/", views.cart, name="cart"),
    path("cart/add/<int:pk>/", views.add, name="add"),
    path("cart/change/<slug:ref>/", views.change, name="change"),
    path("cart/voucher/", views.voucher, name="voucher"),
    path("cart/return/<str:token>/", views.cart_return, name="cart_return"),
    path("checkout/", views.checkout, name="checkout"),
    path("checkout/payment/", views.payment, name="payment"),
    path("order/<str:ref>/", views.order, name="order"),
    path("order/<str:ref>/cancel/", views.cancel, name="cancel"),
    path("letters/", views.letters, name="letters"),
    path("search/", views.search, name="search"),
]
