"""The URLs of a Salesman shop with Wagtail beside it, and accounts as any Django project has."""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Teas</h1>")


def register(request: HttpRequest) -> HttpResponse:
    user = User.objects.create_user(
        request.POST["email"], request.POST["email"], "three-minutes-sharp"
    )
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("Welcome")


def sign_in(request: HttpRequest) -> HttpResponse:
    form = AuthenticationForm(
        request, {"username": request.POST["email"], "password": "three-minutes-sharp"}
    )
    assert form.is_valid()
    login(request, form.get_user())
    return HttpResponse("Hello")


urlpatterns = [
    path("", page),
    path("register/", register),
    path("sign-in/", sign_in),
    path("api/", include("salesman.urls")),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("triggers/", include("wagtail_triggers.urls")),
]
