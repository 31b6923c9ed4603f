"""Exit: the run ends before its time, and the editor says why."""

from __future__ import annotations

from typing import Annotated

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from .base import Port, Run, Step, StepSettings, Surroundings
from .decisions import Decision, Exit
from .registry import register_step


class ExitSettings(StepSettings):
    """`reason` in words, for reports; `converted`: whether the run reached what it was for."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]
    converted: bool = False


@register_step
class ExitStep(Step[ExitSettings]):
    """Ends the run with a reason."""

    identifier = "exit"
    label = _("Leave")
    description = _("Ends the journey for this person, with a reason for the reports.")
    icon = "logout"
    reads = frozenset()
    Settings = ExitSettings

    def ports(self) -> tuple[Port, ...]:
        """Return none."""
        return ()

    def decide(self, run: Run) -> Decision:
        """End the run."""
        return Exit(self.settings.reason, self.settings.converted)

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Leave: no longer interested"."""
        words = _t("Leave: %(reason)s") % {"reason": self.settings.reason}
        if not self.settings.converted:
            return words
        return _t("%(sentence)s (the goal is reached)") % {"sentence": words}
