"""Wait for a window: office hours, say, where the person lives."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Final

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from ..clock_times import Window, jitter_of
from ..durations import Duration
from .base import Run, Step, StepSettings, Surroundings
from .decisions import Advance, Decision, WaitUntil
from .registry import register_step
from .wait_time import MOVES

_SECOND: Final = timedelta(seconds=1)


class WaitWindowSettings(StepSettings):
    """Whoever has to wait for `windows` to open waits up to `jitter` longer, each their share."""

    windows: Annotated[tuple[Window, ...], Field(min_length=1, max_length=20)]
    jitter: Duration | None = None


@register_step
class WaitWindowStep(Step[WaitWindowSettings]):
    """Lets through who comes inside a window, and holds the others to the next opening."""

    identifier = "wait_window"
    label = _("Wait for a time window")
    description = _("Lets people through at certain hours; holds the others until then.")
    icon = "calendar-alt"
    reads = frozenset()
    Settings = WaitWindowSettings

    def decide(self, run: Run) -> Decision:
        """Go on inside a window; who came before it opened waits for their share of the jitter."""
        jitter = jitter_of(self.settings.jitter, run.enrolment_id, run.node)
        due = min(_due(run, opens, closes, jitter) for opens, closes in self._ahead(run))
        return Advance() if due <= run.moment else WaitUntil(due)

    def _ahead(self, run: Run) -> Iterable[tuple[datetime, datetime]]:
        """The openings that have not closed yet."""
        for window in self.settings.windows:
            for opens, closes in window.openings(run.moment, run.time_zone):
                if closes > run.moment:
                    yield opens, closes

    def wakes_on(self) -> frozenset[str]:
        """Return the events that may change the person's zone."""
        return MOVES

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Wait until it is 9:00 to 18:00 on Monday"."""
        windows = _t(" or ").join(one.describe() for one in self.settings.windows)
        words = _t("Wait until it is %(windows)s") % {"windows": windows}
        if self.settings.jitter is None:
            return words
        values = {"sentence": words, "jitter": self.settings.jitter.describe()}
        return _t("%(sentence)s, and up to %(jitter)s more") % values


def _due(run: Run, opens: datetime, closes: datetime, jitter: timedelta) -> datetime:
    """When the run may pass through this opening; the jitter never carries it past the end."""
    if opens <= run.arrived_at:
        return max(opens, run.arrived_at)
    return min(opens + jitter, max(opens, closes - _SECOND))
