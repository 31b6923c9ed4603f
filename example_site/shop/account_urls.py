"""Register, sign in, sign out, orders."""

from __future__ import annotations

from django.urls import path

from . import accounts

app_name = "account"

urlpatterns = [
    path("", accounts.orders, name="orders"),
    path("register/", accounts.register, name="register"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign_in"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign_out"),
]
