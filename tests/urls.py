"""The URLs of the test project, laid out as a shop would."""

from django.contrib import admin
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

urlpatterns = [
    path("django-admin/", admin.site.urls),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("triggers/saleor/", include("wagtail_triggers.integrations.saleor.urls")),
    path("triggers/", include("wagtail_triggers.urls")),
    path("", include(wagtail_urls)),
]
