"""Where people stand on earlier versions of a journey, and where they could go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from ..journeys.models import Journey, JourneyVersion
from ..journeys.plan import Plan
from ..journeys.steps.base import Role
from ..messages.models import Message, MessageClass
from .models import Enrolment

if TYPE_CHECKING:
    from .transfer import Rule


@dataclass(frozen=True, slots=True)
class Place:
    """A step of an earlier version, with how many people stand there; `parked` are among them."""

    version_id: int
    number: int
    node: str
    people: int
    parked: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A step of any version, with how many people stand there."""

    version: JourneyVersion
    node: str
    people: int


def standing(journey: Journey) -> list[Standing]:
    """Every step of every version at which somebody stands, newest version first; two queries."""
    found = _everywhere(journey)
    versions = JourneyVersion.objects.in_bulk({place.version_id for place in found})
    return [Standing(versions[one.version_id], one.node, one.people) for one in found]


def places(journey: Journey) -> list[Place]:
    """Every step of an earlier version at which somebody stands, newest first; one query."""
    live = journey.live_version_id
    return [place for place in _everywhere(journey) if place.version_id != live]


def count(journey: Journey, rules: Iterable[Rule]) -> dict[tuple[int | None, str], int]:
    """How many people each rule applies to at this moment; one query."""
    standing = {(place.version_id, place.node): place.people for place in _everywhere(journey)}
    found: dict[tuple[int | None, str], int] = {}
    for rule in rules:
        found[rule.version_id, rule.node] = sum(
            people
            for (version_id, node), people in standing.items()
            if rule.version_id in (None, version_id) and rule.node in ("", node)
        )
    return found


def _everywhere(journey: Journey) -> list[Place]:
    rows = (
        Enrolment.objects.filter(journey=journey, state__in=Enrolment.ALIVE)
        .values_list("version_id", "version__number", "node")
        .annotate(people=Count("pk"), parked=Count("pk", filter=Q(state=Enrolment.State.PARKED)))
        .order_by("-version__number", "node")
    )
    return [Place(*row) for row in rows]


def unsent_of_removed_steps(journey: Journey, version: JourneyVersion, plan: Plan) -> int:
    """Marketing letters of people on earlier versions, planned by steps that `plan` has no more."""
    return (
        Message.objects.filter(
            enrolment__journey=journey,
            enrolment__state__in=Enrolment.ALIVE,
            message_class=MessageClass.MARKETING,
            state__in=(Message.State.PLANNED, Message.State.RETRY, Message.State.DEFERRED),
            ambiguous=0,
        )
        .exclude(enrolment__version=version)
        .exclude(node__in=plan.node_ids)
        .count()
    )


def may_stand(plan: Plan, node: str) -> bool:
    """Whether a run can stand at this node: it is a step, no entry and nothing that watches."""
    step = plan.steps.get(node)
    return step is not None and step.role is Role.STEP


def behind(node: str, before: Plan | None, after: Plan) -> str:
    """Where those go on who skip `node`: what follows it in the new version; "" if nothing does.

    Where the new version has no such step, it is the next step of the earlier version that it has.
    Behind a fork it is the first way out.
    """
    if may_stand(after, node):
        return _next(after, node)
    seen = {node}
    here = node
    while before is not None and here in before.steps:
        here = _next(before, here)
        if not here or here in seen:
            return ""
        if may_stand(after, here):
            return here
        seen.add(here)
    return ""


def _next(plan: Plan, node: str) -> str:
    ports = plan.step(node).ports()
    return plan.next(node, ports[0].name) if ports else ""
