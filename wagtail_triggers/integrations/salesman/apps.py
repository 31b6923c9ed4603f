"""The Salesman adapter as a Django app: `"wagtail_triggers.integrations.salesman"`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesmanConfig(AppConfig):
    """Listens to Salesman. It has no tables."""

    name = "wagtail_triggers.integrations.salesman"
    label = "wagtail_triggers_salesman"
    verbose_name = _("Triggers: Salesman")

    def ready(self) -> None:
        """Connect the mappings; Salesman's models, swapped or not, are loaded by now."""
        from . import checks, listening  # both name Salesman's models

        checks.connect()
        listening.connect()
