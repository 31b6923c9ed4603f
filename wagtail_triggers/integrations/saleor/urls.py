"""`path("triggers/saleor/", include("wagtail_triggers.integrations.saleor.urls"))`."""

from django.urls import path

from .views import ManifestView, RegisterView, WebhookView

app_name = "wagtail_triggers_saleor"
urlpatterns = [
    path("manifest/", ManifestView.as_view(), name="manifest"),
    path("register/", RegisterView.as_view(), name="register"),
    path("webhook/", WebhookView.as_view(), name="webhook"),
]
