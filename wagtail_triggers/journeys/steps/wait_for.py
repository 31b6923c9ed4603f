"""Wait for something to happen or to become true, at the latest until a time-out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field, model_validator

from .. import conditions
from ..condition_leaves import Match, matches, never_same, unknown_event
from ..durations import Duration
from ..problems import Problem
from .base import EventView, Occurrence, Port, Run, Step, StepSettings, Surroundings
from .decisions import Advance, Decision, WaitFor
from .registry import register_step

Since = Literal["run_start", "last_message", "now"]


class WaitForSettings(StepSettings):
    """Either an `event` (with `match`, `filter` and `since`) or a `condition`."""

    event: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    match: Match | None = None
    filter: conditions.ConditionField = None
    since: Since | None = None
    condition: conditions.ConditionField = None
    timeout: Duration | None = None

    @model_validator(mode="after")
    def _waits_for_one_thing(self) -> Self:
        if (self.event is None) == (self.condition is None):
            raise ValueError(_t("Give either an “event” or a “condition”, and not both."))
        if self.event is None and (self.match or self.since or self.filter):
            raise ValueError(_t("“match”, “filter” and “since” belong to an “event”: remove them."))
        if self.event is not None and self.match is None:
            raise ValueError(
                _t(
                    "Say what the event must be about: “match” is “same_object” (the same cart or "
                    "order as the run) or “any”."
                )
            )
        return self


@register_step
class WaitForStep(Step[WaitForSettings]):
    """Holds the run until it happens; passes at once if it has happened already."""

    identifier = "wait_for"
    label = _("Wait until something happens")
    description = _("Holds the person here until they do something, or something becomes true.")
    icon = "view"
    Settings = WaitForSettings

    def ports(self) -> tuple[Port, ...]:
        """Return "next" and, if there is a time-out, "timeout"."""
        happened = Port("next", _("It happened"))
        if self.settings.timeout is None:
            return (happened,)
        return (happened, Port("timeout", _("It did not happen in time")))

    def decide(self, run: Run) -> Decision:
        """Look first, also before taking the time-out path: it may have happened meanwhile."""
        if self._is_fulfilled(run):
            return Advance()
        if self.settings.timeout is None:
            return WaitFor()
        until = self.settings.timeout.after(run.counts_from, run.time_zone)
        return Advance("timeout") if run.moment >= until else WaitFor(until)

    def _is_fulfilled(self, run: Run) -> bool:
        if self.settings.event is None:
            return conditions.evaluate(self.settings.condition, run)
        since = self._anchor(run)
        # What happened at the very moment at which the run comes here has brought it here.
        just_now = self.settings.since in ("now", "last_message") and since == run.moment
        return any(
            (past.occurred_at > since or (past.occurred_at == since and not just_now))
            and self._is_it(past, run)
            for past in run.history
        )

    def _anchor(self, run: Run) -> datetime:
        """From when on the event counts."""
        if self.settings.since == "now":
            return run.arrived_at
        if self.settings.since == "last_message" and run.last_message_at is not None:
            return run.last_message_at
        return run.event.occurred_at

    def _is_it(self, past: EventView, run: Run) -> bool:
        if past.name != self.settings.event or past.id == run.event.id:
            return False
        return matches(self.settings.match or "same_object", past, run.refs) and (
            conditions.evaluate(
                self.settings.filter,
                Occurrence(
                    run.contact,
                    past,
                    run.time_zone,
                    run.refs,
                    run.history,
                    run.segments,
                    run.enrolment_id,
                ),
            )
        )

    def listens_for(self) -> frozenset[str]:
        """Return the event, and those that filter and condition look for."""
        own = frozenset({self.settings.event}) if self.settings.event else frozenset()
        found = conditions.listens_for(self.settings.filter)
        return own | found | conditions.listens_for(self.settings.condition)

    def wakes_on(self) -> frozenset[str]:
        """Return the event, or whatever may change the condition."""
        if self.settings.event is not None:
            return frozenset({self.settings.event})
        return conditions.wakes_on(self.settings.condition)

    def segments(self) -> frozenset[str]:
        """Return the segments that filter and condition ask about."""
        return conditions.segments(self.settings.filter) | conditions.segments(
            self.settings.condition
        )

    def messages(self) -> frozenset[str]:
        """Return the nodes whose messages filter and condition ask about."""
        return conditions.messages(self.settings.filter) | conditions.messages(
            self.settings.condition
        )

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Wait until … happens, at most 3 days"."""
        s = self.settings
        if s.event is None:
            words = _t("Wait until %(condition)s") % {
                "condition": conditions.describe(s.condition, surroundings)
            }
        else:
            form = (
                _t("Wait until “%(event)s” happens for the same object")
                if s.match == "same_object"
                else _t("Wait until “%(event)s” happens")
            )
            words = form % {"event": surroundings.events().get(s.event, s.event)}
        if s.filter is not None:
            words = _t("%(sentence)s, if %(condition)s") % {
                "sentence": words,
                "condition": conditions.describe(s.filter, surroundings),
            }
        if s.timeout is None:
            return words
        values = {"sentence": words, "time": s.timeout.describe()}
        return _t("%(sentence)s, for at most %(time)s") % values

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield an unknown event, faults of the conditions, and a wait that may never end."""
        s = self.settings
        if s.event is None:
            yield from conditions.problems(s.condition, surroundings, triggers, "condition")
        elif s.event not in surroundings.events():
            yield unknown_event(s.event, surroundings, "event")
        else:
            if s.match == "same_object":
                yield from never_same(s.event, triggers, surroundings, "match")
            own = frozenset({s.event})
            yield from conditions.problems(s.filter, surroundings, own, "filter")
        if s.timeout is None:
            message = _t(
                "Without a “timeout” a person to whom it never happens waits here for ever."
            )
            yield Problem("", "timeout", message, "warning")
