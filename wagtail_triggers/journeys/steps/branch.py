"""Branch: two ways on, by a condition."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import field_validator

from .. import conditions
from ..problems import Problem
from .base import Port, Run, Step, StepSettings, Surroundings
from .decisions import Advance, Decision
from .registry import register_step


class BranchSettings(StepSettings):
    """The condition; it must be there, since a branch that always says yes is no branch."""

    condition: conditions.ConditionField

    @field_validator("condition")
    @classmethod
    def _is_given(cls, value: conditions.Condition | None) -> conditions.Condition | None:
        if value is None:
            raise ValueError(_t("Give a condition: without one everybody goes the same way."))
        return value


@register_step
class BranchStep(Step[BranchSettings]):
    """Sends the run through "yes" where the condition holds, else through "no"."""

    identifier = "branch"
    label = _("Branch")
    description = _("Asks a question and goes on by its answer.")
    icon = "triggers-branch"
    Settings = BranchSettings

    def ports(self) -> tuple[Port, ...]:
        """Return "yes" and "no"."""
        return (Port("yes", _("Yes")), Port("no", _("No")))

    def decide(self, run: Run) -> Decision:
        """Judge the condition now."""
        return Advance("yes" if conditions.evaluate(self.settings.condition, run) else "no")

    def describe(self, surroundings: Surroundings) -> str:
        """Return "If …"."""
        words = conditions.describe(self.settings.condition, surroundings)
        return _t("If %(condition)s") % {"condition": words}

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield the faults of the condition; `event` in it reads what started the run."""
        return conditions.problems(self.settings.condition, surroundings, triggers, "condition")

    def listens_for(self) -> frozenset[str]:
        """Return the events that the condition looks for."""
        return conditions.listens_for(self.settings.condition)

    def segments(self) -> frozenset[str]:
        """Return the segments that the condition asks about."""
        return conditions.segments(self.settings.condition)

    def messages(self) -> frozenset[str]:
        """Return the nodes whose messages the condition asks about."""
        return conditions.messages(self.settings.condition)
