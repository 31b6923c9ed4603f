"""The Django app."""

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
        """Connect receivers and checks, then autodiscover `triggers.py` of every installed app."""
        autodiscover_modules("triggers")
