"""The addresses of the shop."""

from __future__ import annotations

from django.conf import settings
from django.contrib.staticfiles.views import serve as serve_static
from django.urls import include, path, re_path
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("triggers/", include("wagtail_triggers.urls")),
    path("api/", include("salesman.urls")),
    path("account/", include("example_site.shop.account_urls")),
    path("", include("example_site.demo.urls")),
    path("", include("example_site.shop.urls")),
    # A demonstration serves its own files; a real shop leaves this to its web server.
    re_path(r"^static/(?P<path>.+)$", serve_static, {"insecure": True}),
    re_path(r"^media/(?P<path>.+)$", serve, {"document_root": settings.MEDIA_ROOT}),
    path("", include(wagtail_urls)),
]

handler404 = "example_site.shop.views.page_not_found"
