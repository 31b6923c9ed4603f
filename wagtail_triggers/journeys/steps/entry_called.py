"""Entry by call: another journey, or the shop, asks a person into this one."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ...events.types import JOURNEY_REQUESTED
from .. import conditions
from .base import Surroundings
from .entry import EntrySettings, EntryStep
from .registry import register_step


class EntryCalledSettings(EntrySettings):
    """As those of an entry; the event is always the call, and need not be named."""

    event: Literal["journey_requested"] = JOURNEY_REQUESTED


@register_step
class EntryCalledStep(EntryStep):
    """Starts a run when this very journey is asked for; the router compares its uid."""

    identifier = "entry_called"
    label = _("When it is started from elsewhere")
    description = _("Starts a run when another journey or the shop asks for this journey.")
    icon = "link"
    Settings = EntryCalledSettings

    def describe(self, surroundings: Surroundings) -> str:
        """Return "When this journey is started from elsewhere, if …"."""
        values = {"rule": self.settings.reentry.describe()}
        if self.settings.filter is None:
            return _t("When this journey is started from elsewhere (%(rule)s)") % values
        values["filter"] = conditions.describe(self.settings.filter, surroundings)
        return _t("When this journey is started from elsewhere, if %(filter)s (%(rule)s)") % values
