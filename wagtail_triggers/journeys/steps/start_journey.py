"""Start another journey for the same person, about the same object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final
from uuid import UUID

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import AfterValidator, Field

from ...events.types import JOURNEY_REQUESTED
from ..problems import Problem
from .base import Run, Step, StepSettings, Surroundings
from .decisions import Act, Decision, Emit, Park
from .registry import register_step

#: The column of an event's key.
MAX_KEY: Final = 128
TOO_LONG: Final = gettext_noop(
    "The name of the object that the run is about is too long to be handed on."
)


def _uid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError(
            _t("This must be the uid of a journey, such as 6c5931fc-9504-4abf-8f7f-1dbab87184a1.")
        ) from None


class StartJourneySettings(StepSettings):
    """`journey` is the uid of the journey, the same in every database that it comes to."""

    journey: Annotated[str, Field(max_length=64), AfterValidator(_uid)]


@register_step
class StartJourneyStep(Step[StartJourneySettings]):
    """Asks the person into another journey and goes on; both run side by side."""

    identifier = "start_journey"
    label = _("Start another journey")
    description = _("Asks the person into another journey, about the same cart or order.")
    icon = "link-external"
    Settings = StartJourneySettings

    def decide(self, run: Run) -> Decision:
        """Ask for it: its own entry and its rule of re-entry decide."""
        if len(run.key) > MAX_KEY:
            return Park(TOO_LONG)
        payload = {**run.event.payload, "journey": self.settings.journey}
        return Act((Emit(JOURNEY_REQUESTED, run.key, payload, run.refs),))

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Start the journey “…”"."""
        uid = self.settings.journey
        return _t("Start the journey “%(name)s”") % {"name": surroundings.journeys().get(uid, uid)}

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield a journey that does not exist, and warn of one that cannot be started so."""
        uid = self.settings.journey
        if uid not in surroundings.journeys():
            names = ", ".join(sorted(surroundings.journeys().values())[:12])
            message = _t("There is no journey with this uid here. There are: %(names)s.")
            yield Problem("", "journey", message % {"names": names or _t("none")})
        elif not surroundings.takes_calls(uid):
            message = _t(
                "As it is published, this journey has no entry for being started from elsewhere: "
                "nobody would enter. Give it an “entry_called”, and publish it."
            )
            yield Problem("", "journey", message, "warning")
