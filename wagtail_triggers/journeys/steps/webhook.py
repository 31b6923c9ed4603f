"""Webhook: tell another system, at an endpoint that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Annotated, Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from ...core import endpoints
from ...exceptions import ConfigurationError
from ..asking import FAILED, done_or_failed
from ..durations import Duration
from ..problems import Problem, did_you_mean
from .base import NEXT, Port, Run, Step, StepSettings, Surroundings
from .decisions import Decision
from .registry import register_step

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Value = Annotated[str, Field(max_length=1000)] | bool | int | float


class WebhookSettings(StepSettings):
    """`endpoint` is a name of the settings; `facts` and `values` are what is told of the person."""

    endpoint: Annotated[str, Field(min_length=1, max_length=64)]
    type: Name = "journey.step"
    facts: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    event: bool = True
    values: Annotated[dict[Name, Value], Field(max_length=20)] = {}
    give_up_after: Duration = Duration(amount=1, unit="days")


@register_step
class WebhookStep(Step[WebhookSettings]):
    """Has a signed call made and waits until it was taken."""

    identifier = "webhook"
    label = _("Call another system")
    description = _("Sends data to a system that your developers have set up.")
    icon = "link-external"
    Settings = WebhookSettings

    def ports(self) -> tuple[Port, ...]:
        """Return "next" and "failed"."""
        return (NEXT, FAILED)

    def decide(self, run: Run) -> Decision:
        """Ask for the call; go on once it was taken, refused or given up."""
        until = self.settings.give_up_after.after(run.counts_from, run.time_zone)
        data = {"endpoint": self.settings.endpoint, "body": self._body(run)}
        return done_or_failed(run, self.identifier, data, until)

    def _body(self, run: Run) -> dict[str, Any]:
        told: dict[str, Any] = {
            "journey": run.journey_id,
            "run": run.enrolment_id,
            "step": run.node,
            "about": run.key,
            "values": dict(self.settings.values),
            "contact": {
                name: run.contact[name]
                for name in self.settings.facts
                if run.contact.get(name) is not None
            },
        }
        if self.settings.event:
            told["event"] = {
                "name": run.event.name,
                "occurred_at": run.event.occurred_at,
                "data": dict(run.event.payload),
            }
        return {"type": self.settings.type, "timestamp": run.moment.astimezone(UTC), "data": told}

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Tell “erp”"."""
        return _t("Tell “%(endpoint)s”") % {"endpoint": self.settings.endpoint}

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield an endpoint that is not set up, and facts that nobody knows."""
        known = endpoints.names()
        if self.settings.endpoint not in known:
            message = _t("There is no webhook “%(name)s”.") % {"name": self.settings.endpoint}
            hint = did_you_mean(self.settings.endpoint, known)
            yield Problem("", "endpoint", message + hint)
        else:
            try:
                endpoints.get_endpoint(self.settings.endpoint)
            except ConfigurationError as error:
                yield Problem("", "endpoint", str(error))
        facts = surroundings.facts()
        for name in self.settings.facts:
            if name not in facts:
                message = _t("There is no fact “%(name)s”.") % {"name": name}
                yield Problem("", "facts", message + did_you_mean(name, facts))
