"""Public URLs: `path("triggers/", include("wagtail_triggers.urls"))` where you like."""

from django.urls import path

from .consent.views import UnsubscribeView
from .rest.endpoints import api, document
from .rest.storefront import BeaconView

app_name = "wagtail_triggers"
urlpatterns = [
    path("api/openapi.json", document, name="openapi"),
    path("api/", api.urls),
    path("b/", BeaconView.as_view(), name="beacon"),
    path("u/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe"),
]
