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
            "admin.erasing",
            "consent.erasing",
            "consent.merging",
            "engine.coupons",
            "engine.erasing",
            "engine.guards",
            "engine.merging",
            "engine.pulse",
            "engine.retention",
            "events.erasing",
            "events.merging",
            "experiments.erasing",
            "experiments.merging",
            "messages.picked",
            "messages.erasing",
        ):
            import_module(f"{self.name}.{module}")
        for module in (
            "core.sites",
            "journeys.publish",
            "journeys.standing",
            "messages.publish",
            "messages.anymail_reports",
            "engine.tables",
            "admin.alerts",
        ):
            import_module(f"{self.name}.{module}").connect()
        autodiscover_modules("triggers")
        for module, registry in (
            ("contacts.erasing", "erasers"),
            ("events.types", "event_types"),
            ("journeys.steps.registry", "steps"),
            ("engine.jobs.registry", "kinds"),
            ("journeys.bundles.gallery", "folders"),
            ("journeys.conditions", "kinds"),
            ("messages.guards", "guards"),
            ("messages.blocks.registry", "kinds"),
            ("recommend.registry", "recommenders"),
        ):
            getattr(import_module(f"{self.name}.{module}"), registry).close()
