"""Goal: an event that ends the run at once, wherever it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from .. import conditions
from ..condition_leaves import Match, never_same, unknown_event
from ..problems import Problem
from .base import Role, Run, Step, StepSettings, Surroundings
from .decisions import Decision, Exit
from .registry import register_step


class GoalSettings(StepSettings):
    """`match` says what the event must be about; `converts`, whether it counts as a success."""

    event: Annotated[str, Field(min_length=1, max_length=100)]
    match: Match = "same_object"
    filter: conditions.ConditionField = None
    converts: bool = True


@register_step
class GoalStep(Step[GoalSettings]):
    """Stands apart and listens during the whole run; the router carries it out."""

    identifier = "goal"
    label = _("Goal")
    description = _("Ends the run at once when the person does this, also in the middle of a wait.")
    icon = "success"
    Settings = GoalSettings
    role = Role.WATCH

    def ports(self) -> tuple[()]:
        """Return none: a goal is not joined to anything."""
        return ()

    def decide(self, run: Run) -> Decision:
        """End the run as the goal's event would: for one who is moved here by hand."""
        return Exit("goal", converted=self.settings.converts)

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Leave as soon as … happens"."""
        event = surroundings.events().get(self.settings.event, self.settings.event)
        words = (
            _t("Leave as soon as “%(event)s” happens for the same object")
            if self.settings.match == "same_object"
            else _t("Leave as soon as “%(event)s” happens")
        ) % {"event": event}
        if self.settings.filter is not None:
            condition = conditions.describe(self.settings.filter, surroundings)
            words = _t("%(sentence)s, if %(condition)s") % {
                "sentence": words,
                "condition": condition,
            }
        if self.settings.converts:
            words = _t("%(sentence)s (the goal is reached)") % {"sentence": words}
        return words

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield an unknown event and faults of the filter, which reads the goal's own event."""
        event = self.settings.event
        if event not in surroundings.events():
            yield unknown_event(event, surroundings, "event")
        elif self.settings.match == "same_object":
            yield from never_same(event, triggers, surroundings, "match")
        own = frozenset({event})
        yield from conditions.problems(self.settings.filter, surroundings, own, "filter")
        if conditions.listens_for(self.settings.filter):
            message = _t(
                "“done” and “message” cannot be used in a goal: a goal is judged when its event "
                "arrives, without the history. Give each event a goal of its own."
            )
            yield Problem("", "filter", message)

    def segments(self) -> frozenset[str]:
        """Return the segments that the filter asks about."""
        return conditions.segments(self.settings.filter)
