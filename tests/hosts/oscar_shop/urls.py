"""The URLs of a shop on django-oscar with Wagtail beside it."""

from typing import Any

from django.apps import apps
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

SHOP: Any = apps.get_app_config("oscar")

urlpatterns = [
    path("cms/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("triggers/", include("wagtail_triggers.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(SHOP.urls[0])),
]
