"""The Saleor adapter as a Django app: `"wagtail_triggers.integrations.saleor"`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SaleorConfig(AppConfig):
    """Tokens of Saleor instances, and what their webhooks brought."""

    name = "wagtail_triggers.integrations.saleor"
    label = "wagtail_triggers_saleor"
    verbose_name = _("Triggers: Saleor")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks and how long raw deliveries are kept."""
        from . import checks, retention  # both register themselves

        checks.connect()
        retention.connect()
