"""Accounts: register, sign in, sign out, the list of orders."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from salesman.core.utils import get_salesman_model

from wagtail_triggers.api import Who, subscribe

from . import signals
from .forms import RegisterForm, SignInForm
from .visitors import forget_visitor, visitor_of


def _next(request: HttpRequest, fallback: str) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return target if safe else fallback


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Make an account, and sign in with it."""
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            _welcome(request, form)
        messages.success(request, _("Welcome! A letter is on its way to you."))
        return redirect(_next(request, "account:orders"))
    return render(request, "shop/account/register.html", {"form": form, "next": _next(request, "")})


def _welcome(request: HttpRequest, form: RegisterForm) -> None:
    user = form.save()
    login(request, user)
    newsletter = bool(form.cleaned_data["newsletter"])
    if newsletter:
        who = Who.of_user(user, cookie_id=visitor_of(request), signed_in=True)
        subscribe(who, "news", source="sign-up")
    signals.customer_registered.send(User, user=user, request=request, newsletter=newsletter)


class SignIn(LoginView):
    """Sign in."""

    template_name = "shop/account/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Sign out, and forget who sat here."""

    def post(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        forget_visitor(request)
        return response


@never_cache
@login_required
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """List the customer's orders."""
    mine = get_salesman_model("Order").objects.filter(user=request.user).prefetch_related("items")
    return render(request, "shop/account/orders.html", {"orders": mine})
