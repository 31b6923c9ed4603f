"""Public URLs: `path("triggers/", include("wagtail_triggers.urls"))` where you like."""

from django.urls import path

from .consent.views import UnsubscribeView

app_name = "wagtail_triggers"
urlpatterns = [
    path("u/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe"),
]
