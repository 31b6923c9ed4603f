"""The django-oscar adapter as a Django app: `"wagtail_triggers.integrations.oscar"`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OscarConfig(AppConfig):
    """Listens to Oscar. It has no tables."""

    name = "wagtail_triggers.integrations.oscar"
    label = "wagtail_triggers_oscar"
    verbose_name = _("Triggers: django-oscar")

    def ready(self) -> None:
        """Connect the mappings; Oscar's models, forked or not, are loaded by now."""
        from . import checks, listening  # both name Oscar's models

        checks.connect()
        listening.connect()
