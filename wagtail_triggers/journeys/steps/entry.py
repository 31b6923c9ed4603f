"""Entry: a run begins when an event happens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from .. import conditions
from ..condition_leaves import unknown_event
from ..problems import Problem
from ..reentry import Reentry
from .base import Role, Run, Step, StepSettings, Surroundings
from .decisions import Advance, Decision
from .registry import register_step


class EntrySettings(StepSettings):
    """`filter` is judged on the event and the contact; `reentry` says who may come again."""

    event: Annotated[str, Field(min_length=1, max_length=100)]
    filter: conditions.ConditionField = None
    reentry: Reentry = Reentry()


@register_step
class EntryStep(Step[EntrySettings]):
    """Starts a run on an event that passes the filter."""

    identifier = "entry"
    label = _("When something happens")
    description = _("Starts a run for the person whose event it is.")
    icon = "login"
    Settings = EntrySettings
    role = Role.ENTRY

    def decide(self, run: Run) -> Decision:
        """Go on: the router has judged filter and re-entry before there was a run."""
        return Advance()

    def describe(self, surroundings: Surroundings) -> str:
        """Return "When … happens, if …; …"."""
        event = surroundings.events().get(self.settings.event, self.settings.event)
        values = {"event": event, "rule": self.settings.reentry.describe()}
        if self.settings.filter is None:
            return _t("When “%(event)s” happens (%(rule)s)") % values
        values["filter"] = conditions.describe(self.settings.filter, surroundings)
        return _t("When “%(event)s” happens, if %(filter)s (%(rule)s)") % values

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield an unknown event, faults of the filter, and a filter that can never hold."""
        event = self.settings.event
        if event not in surroundings.events():
            yield unknown_event(event, surroundings, "event")
        own = frozenset({event})
        yield from conditions.problems(self.settings.filter, surroundings, own, "filter")
        if conditions.listens_for(self.settings.filter):
            yield Problem(
                "",
                "filter",
                _t(
                    "“done” and “message” look at what happened since entering; at the entry that "
                    "is nothing, so they never hold here. Use a branch after the entry."
                ),
                "warning",
            )

    def segments(self) -> frozenset[str]:
        """Return the segments that the filter asks about."""
        return conditions.segments(self.settings.filter)
