"""Wait: for a span of time, counted from the moment at which the run got here."""

from __future__ import annotations

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ..clock_times import jitter_of
from ..durations import Duration
from .base import Run, Step, StepSettings, Surroundings
from .decisions import Advance, Decision, WaitUntil
from .registry import register_step


class WaitSettings(Duration, StepSettings):
    """How long: {"amount": 1, "unit": "days"}; up to `jitter` longer, each run its own share."""

    jitter: Duration | None = None


@register_step
class WaitStep(Step[WaitSettings]):
    """Holds the run. Days and weeks keep the wall clock of the person, hours are elapsed time."""

    identifier = "wait"
    label = _("Wait")
    description = _("Holds the person here for a time.")
    icon = "history"
    reads = frozenset()
    Settings = WaitSettings
    takes_time = True

    def decide(self, run: Run) -> Decision:
        """Wait until the time has passed since arrival, then go on."""
        until = self.settings.after(run.counts_from, run.time_zone)
        until += jitter_of(self.settings.jitter, run.enrolment_id, run.node)
        return Advance() if run.moment >= until else WaitUntil(until)

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Wait 1 day"."""
        if self.settings.jitter is None:
            return _t("Wait %(time)s") % {"time": self.settings.describe()}
        values = {"time": self.settings.describe(), "jitter": self.settings.jitter.describe()}
        return _t("Wait %(time)s, and up to %(jitter)s more") % values
