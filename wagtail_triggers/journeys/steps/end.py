"""End: the run is over."""

from __future__ import annotations

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from .base import NoSettings, Port, Run, Step, Surroundings
from .decisions import Decision, Exit
from .registry import register_step


@register_step
class EndStep(Step[NoSettings]):
    """Ends the run as completed."""

    identifier = "end"
    label = _("End")
    description = _("The person has gone through the journey.")
    icon = "triggers-end"
    reads = frozenset()

    def ports(self) -> tuple[Port, ...]:
        """Return none."""
        return ()

    def decide(self, run: Run) -> Decision:
        """End the run."""
        return Exit("completed")

    def describe(self, surroundings: Surroundings) -> str:
        """Return "End"."""
        return _t("End")
