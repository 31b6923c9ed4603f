"""Decide what a person's events do to that person's runs. Pure: rows in, decisions out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..events.ingest import MAX_DEPTH
from ..events.types import (
    CONTACT_CHANGED,
    JOURNEY_EXIT_REQUESTED,
    JOURNEY_REQUESTED,
    event_types,
)
from ..journeys.blame import blames
from ..journeys.plan import Entry, Plan
from ..journeys.reentry import PastRuns, may_enter
from ..journeys.steps.base import EventView, Occurrence
from .live import LiveJourney

#: The event was seen, and the conditions of no door held.
FILTERED: Final = "filtered"


@dataclass(slots=True)
class ActiveRun:
    """A run of the person that is alive; `enrolment_id` is 0 for one that begins in this batch."""

    enrolment_id: int
    journey_id: int
    key: str
    refs: frozenset[str]
    plan: Plan
    began: EventView
    journey_uid: str = ""
    node: str = ""
    #: Whether it stays at `node` until something happens.
    waiting: bool = False
    ended: bool = False
    #: What `Person.past` said before a run that begins in this batch.
    past: PastRuns = field(default_factory=PastRuns)


@dataclass(frozen=True, slots=True)
class Begin:
    """Start a run."""

    journey: LiveJourney
    entry: Entry
    event: EventView
    key: str
    depth: int


@dataclass(frozen=True, slots=True)
class Finish:
    """End a run: it reached a goal or an exit."""

    enrolment_id: int
    event: EventView
    node: str
    converts: bool


@dataclass(frozen=True, slots=True)
class Wake:
    """Let a run that waits for such an event look again; it is at least as deep as the event."""

    enrolment_id: int
    depth: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """A journey listens to the event, and a rule of it said no."""

    journey_id: int
    event_id: int
    reason: str
    version_id: int | None = None
    #: Of filters: each door with the conditions that did not hold (`journeys.blame`).
    detail: tuple[Mapping[str, Any], ...] = ()


@dataclass(slots=True)
class Routed:
    """What a person's events lead to."""

    begins: list[Begin] = field(default_factory=list)
    finishes: list[Finish] = field(default_factory=list)
    wakes: list[Wake] = field(default_factory=list)
    refusals: list[Refuse] = field(default_factory=list)
    #: Events that ask for a journey which takes nobody in: there is none, it rests, or its doors
    #: do not fit.
    unheard: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Person:
    """What routing needs to know of one person."""

    facts: Mapping[str, object]
    zone: ZoneInfo
    active: list[ActiveRun]
    #: Runs in each journey so far, ended ones too.
    past: dict[int, PastRuns]
    #: Events of the person that could end a run which begins now: stored, routed or not.
    stored: Sequence[EventView] = ()
    segments: frozenset[str] = frozenset()


def route_event(
    person: Person,
    event: EventView,
    *,
    key: str,
    depth: int,
    journeys: Iterable[LiveJourney],
    moment: datetime,
    routed: Routed,
    made_by: int = 0,
) -> None:
    """Let one event end runs and begin runs; adds to `routed` and keeps `person` up to date.

    Args:
        key: The object that the event is about, as the caller named it.
        depth: How many journeys have led to this event.
        journeys: Those that listen on the event's site, the highest priority first.
        made_by: The run whose step made the event, if one did.
    """
    _finish(person, event, routed)
    _wake(person, event, depth, made_by, routed)
    asked_for = event.payload.get("journey") if event.name == JOURNEY_REQUESTED else None
    heard = False
    seen = Occurrence(person.facts, event, person.zone, event.refs, segments=person.segments)
    for journey in journeys:
        if asked_for is not None and asked_for != journey.uid:
            continue
        closed: list[Mapping[str, Any]] = []
        for entry in journey.plan.entries_for(event.name):
            why = blames(entry.filter, seen)
            if not why:
                _begin(person, journey, entry, event, key, depth, moment, routed)
                heard = True
                break  # one event begins one run of a journey, by its first door that is open
            closed.append({"node": entry.node, "why": [one.to_json() for one in why]})
        else:
            if closed:
                routed.refusals.append(_filtered(journey, event, closed))
    if asked_for is not None and not heard:
        routed.unheard.append(event.id)


def _filtered(
    journey: LiveJourney, event: EventView, closed: Iterable[Mapping[str, Any]]
) -> Refuse:
    """No door of the journey is open to this event: which condition of each said no."""
    return Refuse(journey.journey_id, event.id, FILTERED, journey.version_id, tuple(closed))


def _finish(person: Person, event: EventView, routed: Routed) -> None:
    for run in person.active:
        if run.ended or run.began.id == event.id:
            continue
        if event.name == JOURNEY_EXIT_REQUESTED:
            if _is_asked_out(run, event):
                _end(person, run, Finish(run.enrolment_id, event, "", converts=False), routed)
            continue
        goal = run.plan.match_goal(run.refs, event, person.facts, person.zone, person.segments)
        if goal is None:
            continue
        if goal.match == "any" and event.occurred_at < run.began.occurred_at:
            continue  # it was done before the run began; only its own object counts that far back
        _end(person, run, Finish(run.enrolment_id, event, goal.node, goal.converts), routed)


def _end(person: Person, run: ActiveRun, finish: Finish, routed: Routed) -> None:
    """End a run; one that would only begin in this batch does not begin, and does not count."""
    run.ended = True
    if run.enrolment_id:
        routed.finishes.append(finish)
        return
    routed.begins[:] = [
        begin
        for begin in routed.begins
        if (begin.event, begin.journey.journey_id) != (run.began, run.journey_id)
    ]
    person.past[run.journey_id] = run.past
    done_by = {"event": finish.event.id}
    refusal = Refuse(run.journey_id, run.began.id, "already_done", detail=(done_by,))
    routed.refusals.append(refusal)


def _is_asked_out(run: ActiveRun, event: EventView) -> bool:
    """Whether the run is of the journey that somebody asks to leave, and about the same object."""
    if event.payload.get("journey") != run.journey_uid:
        return False
    return not event.refs or run.key in event.refs


def _wake(person: Person, event: EventView, depth: int, made_by: int, routed: Routed) -> None:
    """Let runs look again that wait for this event; the runner decides whether it is the one.

    In a circle of journeys that wake each other nothing happens beyond the longest chain. What a
    run does itself is no link of a chain: it has seen its own change of the person already, and
    an event of its own making wakes it without making it deeper.
    """
    for run in person.active:
        if run.ended or not run.waiting or not run.enrolment_id:
            continue
        if not run.plan.wakes(run.node, event.name):
            continue
        if run.enrolment_id == made_by:
            if event.name != CONTACT_CHANGED:
                routed.wakes.append(Wake(run.enrolment_id, 0))
            continue
        if depth > MAX_DEPTH:
            routed.refusals.append(Refuse(run.journey_id, event.id, "chain_too_long"))
        else:
            routed.wakes.append(Wake(run.enrolment_id, depth))


def _begin(
    person: Person,
    journey: LiveJourney,
    entry: Entry,
    event: EventView,
    key: str,
    depth: int,
    moment: datetime,
    routed: Routed,
) -> None:
    reason, saw = _refusal(person, journey, entry, event, key, depth, moment)
    if reason:
        rule = {"node": entry.node, **saw}
        refusal = Refuse(journey.journey_id, event.id, reason, journey.version_id, (rule,))
        routed.refusals.append(refusal)
        return
    run_key = event_types.get(event.name).run_key(key, dict(event.payload))
    routed.begins.append(Begin(journey, entry, event, run_key, depth))
    past = person.past.get(journey.journey_id, PastRuns())
    person.active.append(
        ActiveRun(
            0,
            journey.journey_id,
            run_key,
            event.refs,
            journey.plan,
            event,
            journey_uid=journey.uid,
            past=past,
        )
    )
    person.past[journey.journey_id] = PastRuns(
        past.count + 1, moment, past.active + 1, recent=(*past.recent, moment)
    )


def _refusal(
    person: Person,
    journey: LiveJourney,
    entry: Entry,
    event: EventView,
    key: str,
    depth: int,
    moment: datetime,
) -> tuple[str, dict[str, Any]]:
    """Why this person may not enter, and what the rule saw; "" where they may."""
    if depth > MAX_DEPTH:
        return "chain_too_long", {"depth": depth}
    run_key = event_types.get(event.name).run_key(key, dict(event.payload))
    alive = [run for run in person.active if run.journey_id == journey.journey_id and not run.ended]
    past = person.past.get(journey.journey_id, PastRuns())
    now = replace(past, active=len(alive), active_same_key=any(run.key == run_key for run in alive))
    verdict = may_enter(entry.reentry, now, run_key, moment, person.zone)
    if not verdict.allowed:
        return verdict.reason, {}
    done_by = _done_by(person, journey.plan, event)
    return ("already_done", {"event": done_by}) if done_by else ("", {})


def _done_by(person: Person, plan: Plan, event: EventView) -> int:
    """The event that would end the run and has happened already, or 0.

    An earlier-inserted `cart_updated` can commit after `order_placed`: the order is routed first
    and finds no run to end.
    """
    for stored in person.stored:
        if stored.id == event.id:
            continue
        goal = plan.match_goal(event.refs, stored, person.facts, person.zone, person.segments)
        if goal is None:
            continue
        if goal.match == "same_object" or stored.occurred_at > event.occurred_at:
            return stored.id
    return 0


def by_contact(rows: Iterable[tuple[int, EventView]]) -> dict[int, list[EventView]]:
    """Group events by their contact, keeping the order."""
    found: dict[int, list[EventView]] = defaultdict(list)
    for contact, event in rows:
        found[contact].append(event)
    return found
