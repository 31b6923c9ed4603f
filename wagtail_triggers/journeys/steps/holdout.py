"""Holdout: a share of the people is left out, so that it can be seen what the rest gains."""

from __future__ import annotations

from typing import Annotated, Final

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from .base import Port, Run, Step, StepSettings, Surroundings
from .decisions import Decision
from .registry import register_step
from .split import assigned, experiment_of

HELD_OUT: Final = "held_out"


class HoldoutSettings(StepSettings):
    """How many of a hundred people are left out."""

    percent: Annotated[int, Field(ge=1, le=99, strict=True)] = 10


@register_step
class HoldoutStep(Step[HoldoutSettings]):
    """Sends a share of the people another way, for good; normally to an end."""

    identifier = "holdout"
    label = _("Holdout")
    description = _("Leaves a share of the people out, to see what the journey does for the rest.")
    icon = "no-view"
    reads = frozenset()
    Settings = HoldoutSettings

    def ports(self) -> tuple[Port, ...]:
        """Return "next" and "held_out"."""
        return (Port("next", _("Takes part")), Port(HELD_OUT, _("Held out")))

    def decide(self, run: Run) -> Decision:
        """Go the person's own way."""
        percent = self.settings.percent
        return assigned(run, [(HELD_OUT, percent), ("next", 100 - percent)])

    def experiment(self, journey_id: int, node: str) -> str:
        """Return the key of this holdout."""
        return experiment_of(journey_id, node)

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Leave out 10 % of the people"."""
        return _t("Leave out %(n)d %% of the people") % {"n": self.settings.percent}
