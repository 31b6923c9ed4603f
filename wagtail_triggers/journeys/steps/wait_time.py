"""Wait until a time of day: the next 9:00 where the person lives."""

from __future__ import annotations

from typing import Annotated, Final

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from pydantic import Field

from ..clock_times import ClockTime, Weekday, next_time, on_weekdays, spoken
from .base import Run, Step, StepSettings, Surroundings
from .decisions import Advance, Decision, WaitUntil
from .registry import register_step

#: A person who moves, moves their nine o'clock.
MOVES: Final = frozenset({"user_updated", "contact_changed"})


class WaitTimeSettings(StepSettings):
    """`at` on one of `weekdays` (all, if empty), not before `days` days after arrival."""

    at: ClockTime
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()
    days: Annotated[int, Field(ge=0, le=3650, strict=True)] = 0


@register_step
class WaitTimeStep(Step[WaitTimeSettings]):
    """Holds the run until the next time that clocks show `at` in the zone of the person."""

    identifier = "wait_time"
    label = _("Wait until a time of day")
    description = _("Holds the person here until the next 9:00, say, where they live.")
    icon = "time"
    reads = frozenset()
    Settings = WaitTimeSettings
    takes_time = True

    def decide(self, run: Run) -> Decision:
        """Wait until the first such moment after arrival, which is never arrival itself."""
        s = self.settings
        until = next_time(run.counts_from, s.at, run.time_zone, weekdays=s.weekdays, days=s.days)
        return Advance() if run.moment >= until else WaitUntil(until)

    def wakes_on(self) -> frozenset[str]:
        """Return the events that may change the person's zone."""
        return MOVES

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Wait until 9:00 on Monday, at least 2 days from now"."""
        s = self.settings
        words = _t("Wait until %(time)s") % {"time": on_weekdays(spoken(s.at), s.weekdays)}
        if not s.days:
            return words
        days = ngettext("%(n)d day", "%(n)d days", s.days) % {"n": s.days}
        return _t("%(sentence)s, not before %(days)s have passed") % {
            "sentence": words,
            "days": days,
        }
