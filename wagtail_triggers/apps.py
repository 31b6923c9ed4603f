"""The Django app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class TriggersConfig(AppConfig):
    """Wires the rooms together and loads the hosts' `triggers.py`."""

    name = "wagtail_triggers"
    label = "wagtail_triggers"
    verbose_name = _("Triggers")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Load what registers itself, then every app's `triggers.py`, then close the registries."""
        for module in (
            "checks",
            "consent.merging",
            "engine.coupons",
            "engine.guards",
            "engine.merging",
            "engine.pulse",
            "engine.retention",
            "events.merging",
            "experiments.merging",
        ):
            import_module(f"{self.name}.{module}")
        for module in (
            "core.sites",
            "journeys.publish",
            "messages.publish",
            "messages.anymail_reports",
            "engine.tables",
            "admin.alerts",
        ):
            import_module(f"{self.name}.{module}").connect()
        autodiscover_modules("triggers")
        for module, registry in (
            ("events.types", "event_types"),
            ("journeys.steps.registry", "steps"),
            ("engine.jobs.registry", "kinds"),
            ("journeys.conditions", "kinds"),
            ("messages.guards", "guards"),
        ):
            getattr(import_module(f"{self.name}.{module}"), registry).close()
