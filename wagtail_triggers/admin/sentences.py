"""What the engine did, told in sentences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..engine.models import Enrolment, StepRun
from ..exceptions import TriggersError
from ..journeys.models import JourneyVersion
from ..journeys.plan import Plan, plan_for
from ..journeys.surroundings import SiteSurroundings
from .states import explained


class Teller:
    """Tells steps of runs. Make one per page: it remembers plans and the names of templates.

    The versions must come with the runs and the steps (`select_related("version")`): it asks the
    database only for the templates of each site, once.
    """

    def __init__(self) -> None:
        self._plans: dict[int, Plan | None] = {}
        self._surroundings: dict[int, SiteSurroundings] = {}

    def step(self, step: StepRun, run: Enrolment) -> str:
        """Return what `step` of `run` decided, as a sentence without a full stop."""
        told = self.at(step.node, step.version, run.site_id) or f"{step.kind} ({step.node})"
        addition = self._outcome(step)
        return f"{told}: {addition}" if addition else told

    def node(self, node: str, run: Enrolment) -> str:
        """Return what the step at `node` does; "" where the version has no such step."""
        return self.at(node, run.version, run.site_id)

    def at(self, node: str, version: JourneyVersion, site_id: int) -> str:
        """Return what the step at `node` of a version does; "" where it has no such step."""
        plan = self._plan(version)
        if plan is None or node not in plan.steps:
            return ""
        return plan.steps[node].describe(self._around(site_id))

    def _outcome(self, step: StepRun) -> str:
        detail: dict[str, Any] = step.detail
        if step.decision == "wait":
            return _("until %(moment)s") % {"moment": _moment(detail.get("until"))}
        if step.decision == "transfer":
            return _("moved here from version %(number)s") % {"number": detail.get("from_version")}
        if step.decision in {"wait_for", "ask"}:
            if not detail.get("until"):
                return ""
            return _("until %(moment)s at the latest") % {"moment": _moment(detail["until"])}
        if step.decision in {"exit", "park"}:
            return explained(str(detail.get("reason", "")))
        if detail.get("note"):
            return explained(str(detail["note"]))
        return self._answer(step) if step.decision in {"advance", "act"} else ""

    def _answer(self, step: StepRun) -> str:
        """Return which way out of a fork was taken; "" where there was but one."""
        plan = self._plan(step.version)
        if plan is None or step.node not in plan.steps:
            return step.port
        ports = plan.steps[step.node].ports()
        if len(ports) < 2:
            return ""
        return next((str(port.label) for port in ports if port.name == step.port), step.port)

    def _plan(self, version: JourneyVersion) -> Plan | None:
        """Return the plan; None for a version that the installed steps can no longer read."""
        if version.pk not in self._plans:
            try:
                self._plans[version.pk] = plan_for(version.pk, version.graph)
            except TriggersError:
                self._plans[version.pk] = None
        return self._plans[version.pk]

    def _around(self, site_id: int) -> SiteSurroundings:
        if site_id not in self._surroundings:
            self._surroundings[site_id] = SiteSurroundings(site_id)
        return self._surroundings[site_id]


def _moment(value: object) -> str:
    """Return a moment that was kept as ISO 8601 in the words of the reader's language and zone."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value or "")
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
