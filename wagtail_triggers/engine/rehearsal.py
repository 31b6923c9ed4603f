"""What a journey would have done with the events of the last days. Nothing is written or sent.

The router's rules, the steps and the arbiter of messages are the engine's own; only the store is
another (`engine.memory`), and the clock is simulated. Facts, tags and segments are those of today,
orders and consent those of then. Nobody opens or clicks, and outside jobs succeed.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Max, Min

from ..events.models import Event
from ..messages.guards import guards
from ..messages.models import Message
from .live import LiveJourney
from .rehearsal_consent import ANSWERED, NOT_ASKED
from .rehearsal_stage import Endless, Stage
from .rehearsal_world import World, moment_of

logger = logging.getLogger("wagtail_triggers.rehearsal")

#: Events that could start the journey are looked at up to this many, the newest first.
MAX_TRIGGERS: Final = 200_000
#: People who are loaded together.
CHUNK: Final = 250
#: Ids grow with time, but transactions commit out of their order.
LATE_COMMITS: Final = 10_000
#: Of the messages themselves so many are kept, the newest; the numbers are of all.
SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that would have been planned."""

    contact_id: int
    node: str
    template: str
    planned_at: datetime
    state: str
    reason: str
    settled_at: datetime | None
    bought: bool


@dataclass(slots=True)
class Rehearsal:
    """What would have happened.

    Attributes:
        since: From when events were looked at; later than asked for where the time ran out.
        until: Until when.
        asked_since: From when they were to be looked at.
        triggers: Events that could start it, and how many of them were looked at.
        people: How many people these were of.
        entered: Runs that would have begun.
        entered_people: By how many people.
        converted: Runs that a goal would have ended as a success.
        left: Runs that would have ended before their end.
        completed: Runs that would have come to their end.
        underway: Runs that would still be under way.
        parked: Why runs would be parked now, with how many.
        refused: Why people would not have been taken in (a code of `journeys.reentry`).
        by_node: How many runs would have come to each step.
        per_day: Messages that would have left, by day and template (its translation key).
        sent: How many would have left.
        stopped: How many would not, by (state, reason).
        waiting: How many would be put off now, by reason.
        bought: Of those that would have left: to how many people who had ordered meanwhile.
        letters: The newest messages.
        failed: People for whom it went round in a circle.
    """

    since: datetime
    until: datetime
    asked_since: datetime
    triggers: int = 0
    looked_at: int = 0
    people: int = 0
    entered: int = 0
    entered_people: int = 0
    converted: int = 0
    left: int = 0
    completed: int = 0
    underway: int = 0
    sent: int = 0
    bought: int = 0
    failed: int = 0
    seconds: float = 0.0
    parked: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    by_node: Counter[str] = field(default_factory=Counter)
    per_day: Counter[tuple[date, str]] = field(default_factory=Counter)
    stopped: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    letters: list[Letter] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether everything was looked at that was asked for."""
        return self.looked_at >= self.triggers

    @property
    def planned(self) -> int:
        """How many messages would have been planned."""
        return self.sent + sum(self.stopped.values()) + sum(self.waiting.values())


def unasked_guards() -> list[str]:
    """Guards of the host's own: a rehearsal cannot ask them, and says so."""
    return sorted(set(guards.all()) - ANSWERED - NOT_ASKED)


def rehearse(
    journey: LiveJourney, *, days: int, moment: datetime, seconds: float = 10.0
) -> Rehearsal:
    """Carry a journey out over the recorded events of the last days, in memory.

    Args:
        journey: What to rehearse: a live version, or a draft's plan under the journey's id.
        days: How far back.
        moment: Now; the rehearsal ends there.
        seconds: When to stop. People with the newest events come first, so that what is left out
            is the oldest; the answer says how far it came.

    Returns:
        What would have happened.
    """
    began = time.monotonic()
    since = moment - timedelta(days=days)
    floor = _first_id(since)
    newest = _people(journey, since, moment, floor)
    total = sum(count for _newest, count in newest.values())
    found = Rehearsal(since, moment, since, triggers=total)
    world = World(journey, since, moment, floor)
    order = list(newest)
    for start in range(0, len(order), CHUNK):
        if time.monotonic() - began > seconds:
            break
        for known in world.people(order[start : start + CHUNK]):
            at, count = newest[known.contact.pk]
            if time.monotonic() - began > seconds:
                break
            found.looked_at += count
            found.people += 1
            if found.looked_at < total:
                found.since = at
            else:
                found.since = since
            stage = Stage(world, known)
            try:
                stage.play()
            except Endless:
                found.failed += 1
            _count(stage, found)
    found.letters.sort(key=lambda one: one.planned_at, reverse=True)
    del found.letters[SHOWN:]
    found.seconds = time.monotonic() - began
    return found


def _people(
    journey: LiveJourney, since: datetime, until: datetime, floor: int
) -> dict[int, tuple[datetime, int]]:
    """Whose events could start it: with the newest one's moment, and how many. Newest first."""
    rows = (
        Event.objects.filter(
            site_id=journey.site_id,
            name__in=journey.plan.entry_events,
            pk__gte=floor,
            contact_id__isnull=False,
            recorded_at__gte=since,
        )
        .order_by("-pk")
        .only("contact_id", "occurred_at", "recorded_at")[:MAX_TRIGGERS]
    )
    found: dict[int, tuple[datetime, int]] = {}
    for event in rows.iterator(chunk_size=5_000):
        at = moment_of(event)
        if since <= at <= until and event.contact_id is not None:
            newest, count = found.get(event.contact_id, (at, 0))
            found[event.contact_id] = (max(at, newest), count + 1)
    return found


def _first_id(since: datetime) -> int:
    """An id below all events that were recorded since then; some look-ups of the primary key."""
    ends = Event.objects.aggregate(low=Min("pk"), high=Max("pk"))
    low, high = ends["low"] or 0, ends["high"] or 0
    while low < high:
        middle = (low + high) // 2
        row = Event.objects.filter(pk__gte=middle).order_by("pk").only("recorded_at").first()
        if row is None or row.recorded_at >= since:
            high = middle
        else:
            low = row.pk + 1
    return max(0, low - LATE_COMMITS)


def _count(stage: Stage, found: Rehearsal) -> None:
    runs = stage.runs.values()
    found.entered += len(runs)
    found.entered_people += bool(runs)
    found.refused.update(stage.refusals)
    for run in runs:
        found.by_node.update({step.node for step in run.steps} | {run.node})
        match run.state:
            case "active":
                found.underway += 1
            case "parked":
                found.parked[run.reason] += 1
            case "converted":
                found.converted += 1
            case "completed":
                found.completed += 1
            case _:
                found.left += 1
    for letter in stage.letters:
        _count_letter(stage, letter, found)


def _count_letter(stage: Stage, letter: Message, found: Rehearsal) -> None:
    run = stage.runs[letter.enrolment_id or 0]
    intents = (intent for _at, intent in run.intents if intent.node == letter.node)
    template = next((intent.template for intent in intents), "")
    bought = False
    if letter.state == Message.State.ACCEPTED and letter.settled_at is not None:
        sent_at = letter.settled_at
        bought = any(
            run.began.occurred_at <= at <= sent_at and pk != run.began.id for at, pk in stage.bought
        )
        found.sent += 1
        found.bought += bought
        found.per_day[sent_at.astimezone(stage.known.zone).date(), template] += 1
    elif letter.due_at is not None:
        found.waiting[letter.reason] += 1
    else:
        found.stopped[letter.state, letter.reason] += 1
    found.letters.append(
        Letter(
            stage.known.contact.pk,
            letter.node,
            template,
            letter.planned_at,
            letter.state,
            letter.reason,
            letter.settled_at,
            bought,
        )
    )
    if len(found.letters) > 4 * SHOWN:
        found.letters.sort(key=lambda one: one.planned_at, reverse=True)
        del found.letters[SHOWN:]
