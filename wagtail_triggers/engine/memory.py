"""Runs in memory: the same steps, the same runner, no database. For simulations and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..conf import settings
from ..events.types import CONTACT_CHANGED, event_types
from ..journeys.plan import Plan
from ..journeys.steps.base import Answer, EventView, Run
from ..journeys.steps.decisions import Assign, ChangeContact, Emit
from .advance import Done, Intent, JobIntent, Progress, StepRecord, changed
from .store import RETRY_AFTER, DueRun, Failure


@dataclass(slots=True)
class MemoryRun:
    """One run, as a row of `Enrolment` would hold it."""

    enrolment_id: int
    plan: Plan
    journey_id: int
    contact: Mapping[str, Any]
    began: EventView
    entered_at: datetime
    key: str = ""
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    contact_id: int = 0
    node: str = ""
    seq: int = 0
    arrived_at: datetime | None = None
    wake_at: datetime | None = None
    state: str = "active"
    reason: str = ""
    tries: int = 0
    steps: list[StepRecord] = field(default_factory=list)
    intents: list[tuple[datetime, Intent]] = field(default_factory=list)
    waiting: bool = False
    last_message_at: datetime | None = None
    segments: frozenset[str] = frozenset()
    assignments: dict[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    jobs: list[JobIntent] = field(default_factory=list)
    effects: list[Done] = field(default_factory=list)
    #: What the person has done since; add to it as the simulation goes on.
    events: list[EventView] = field(default_factory=list)


class MemoryBatch:
    """Due runs of a `MemoryStore`."""

    def __init__(self, store: MemoryStore, runs: Mapping[int, MemoryRun]) -> None:
        self.moment = moment = store.moment
        self._store = store
        self._rows = runs
        self.runs: Sequence[DueRun] = [_due(row, moment) for row in runs.values()]

    def save(self, progress: Sequence[Progress], failures: Sequence[Failure]) -> None:
        """Write what was decided."""
        for one in progress:
            row = self._rows[one.enrolment_id]
            row.node, row.seq, row.arrived_at = one.node, one.seq, one.arrived_at
            row.wake_at, row.state, row.reason, row.tries = one.wake_at, one.state, one.reason, 0
            row.waiting, row.last_message_at = one.waiting, one.last_message_at
            if one.jobs or not one.waiting:
                row.answer = None
            row.jobs.extend(one.jobs)
            row.effects.extend(one.effects)
            for done in one.effects:
                self._carry_out(row, done)
            row.steps.extend(one.steps)
            row.intents.extend((self.moment, intent) for intent in one.intents)
        for failure in failures:
            row = self._rows[failure.enrolment_id]
            row.tries, row.reason = failure.tries, failure.error[:255]
            if failure.tries >= settings.MAX_TRIES:
                row.state, row.wake_at = "parked", None
            else:
                row.wake_at = self.moment + RETRY_AFTER * failure.tries

    def _carry_out(self, row: MemoryRun, done: Done) -> None:
        match done.effect:
            case ChangeContact() as change:
                for other in self._store.runs_of(row):
                    other.contact = changed(other.contact, change)
                event = self._store.emitted(Emit(CONTACT_CHANGED))
                self._store.happen(row, event, wakes_itself=False)
            case Assign(experiment=experiment, variant=variant):
                row.assignments.setdefault(experiment, variant)
            case Emit() as emit:
                self._store.happen(row, self._store.emitted(emit))


class MemoryStore:
    """A store of runs with a clock that is moved by hand.

    Args:
        moment: Where the clock begins; aware.
    """

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        self.runs: dict[int, MemoryRun] = {}
        self._variants: dict[int, dict[str, str]] = {}
        self._emitted = 0

    def begin(
        self,
        plan: Plan,
        event: EventView,
        *,
        contact: Mapping[str, Any] | None = None,
        key: str = "",
        time_zone: ZoneInfo | None = None,
        journey_id: int = 1,
        contact_id: int | None = None,
    ) -> MemoryRun:
        """Start a run by the first entry of `plan` that listens to the event, now.

        Runs of one `contact_id` share what happens to that person; without one it is somebody new.
        """
        number = len(self.runs) + 1
        person = -number if contact_id is None else contact_id
        entry = plan.entries_for(event.name)[0]
        row = MemoryRun(
            enrolment_id=number,
            plan=plan,
            journey_id=journey_id,
            contact=contact or {},
            began=event,
            entered_at=self.moment,
            key=key,
            time_zone=time_zone or ZoneInfo("UTC"),
            contact_id=person,
            assignments=self._variants.setdefault(person, {}),
            node=entry.first,
            arrived_at=self.moment,
            wake_at=self.moment,
        )
        self.runs[row.enrolment_id] = row
        return row

    def happen(self, row: MemoryRun, event: EventView, *, wakes_itself: bool = True) -> None:
        """Let the person of a run do something; it wakes their runs whose steps wait for that."""
        for one in self.runs_of(row):
            one.events.append(event)
            if one is row and not wakes_itself:
                continue
            if one.state == "active" and one.waiting and one.plan.wakes(one.node, event.name):
                one.wake_at = self.moment

    def runs_of(self, row: MemoryRun) -> list[MemoryRun]:
        """All runs of the person whose run this is."""
        return [one for one in self.runs.values() if one.contact_id == row.contact_id]

    def emitted(self, emit: Emit) -> EventView:
        """The event that a step lets happen, with a number of its own."""
        self._emitted += 1
        kind = event_types.get(emit.event)
        refs = {*kind.refs(emit.key, dict(emit.payload)), *emit.refs}
        return EventView(-self._emitted, emit.event, emit.payload, self.moment, frozenset(refs))

    def answer(self, row: MemoryRun, answer: Answer) -> None:
        """Answer what the present step of a run has asked for."""
        row.answer, row.wake_at = answer, self.moment

    def travel(self, by: timedelta) -> None:
        """Move the clock forward."""
        self.moment += by

    @contextmanager
    def claim(self, limit: int) -> Iterator[MemoryBatch]:
        """The due runs, those that wait longest first."""
        due = [
            row
            for row in self.runs.values()
            if row.state == "active" and row.wake_at is not None and row.wake_at <= self.moment
        ]
        due.sort(key=lambda row: (row.wake_at, row.enrolment_id))
        yield MemoryBatch(self, {row.enrolment_id: row for row in due[:limit]})


def _due(row: MemoryRun, moment: datetime) -> DueRun:
    run = Run(
        enrolment_id=row.enrolment_id,
        contact=row.contact,
        event=row.began,
        key=row.key,
        refs=row.began.refs,
        entered_at=row.entered_at,
        arrived_at=row.arrived_at or moment,
        moment=moment,
        time_zone=row.time_zone,
        seq=row.seq,
        history=tuple(event for event in row.events if event.name in row.plan.history_events),
        journey_id=row.journey_id,
        contact_id=row.contact_id,
        node=row.node,
        segments=row.segments,
        assignments=dict(row.assignments),
        answer=row.answer,
        last_message_at=row.last_message_at,
        waiting=row.waiting,
    )
    return DueRun(run, row.plan, row.node, row.tries)
