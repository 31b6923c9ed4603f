"""Follow a run from step to step until it waits or ends. Pure: no database, no clock, no room.

The same code carries out a run for real, simulates it and tests it back; what differs is the
store behind it (`engine.store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from django.utils.translation import gettext_noop

from ..journeys.plan import Plan
from ..journeys.steps.base import Run
from ..journeys.steps.decisions import (
    Act,
    Advance,
    Ask,
    Assign,
    ChangeContact,
    Effect,
    Exit,
    Park,
    Send,
    WaitFor,
    WaitUntil,
)

#: A run that does not park within this many steps goes on at the next tick; others get a turn.
MAX_STEPS: Final = 100

#: A run that stays is not asked again before this has passed.
_SOONEST: Final = timedelta(seconds=1)

UNKNOWN_ANSWER: Final = gettext_noop("The step gave an answer that the engine does not know.")


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One decision, as it is kept."""

    seq: int
    node: str
    kind: str
    decision: str
    port: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intent:
    """A message that a step wants: what, through which channel, until when."""

    enrolment_id: int
    seq: int
    node: str
    template: str
    channel: str
    expires_after: timedelta | None


@dataclass(frozen=True, slots=True)
class JobIntent:
    """A job that a step wants to have done outside, by when."""

    enrolment_id: int
    seq: int
    node: str
    kind: str
    data: Mapping[str, Any]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Done:
    """Something that a step changes, with the step's number: that tells a repetition."""

    seq: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after it was followed, and what it did on the way.

    `state` is a value of `Enrolment.State`; `wake_at` is None where it does not wait for time;
    `waiting` says that it stays at `node` until then, or until something happens.
    """

    enrolment_id: int
    node: str
    seq: int
    arrived_at: datetime
    wake_at: datetime | None
    state: str = "active"
    reason: str = ""
    waiting: bool = False
    last_message_at: datetime | None = None
    steps: tuple[StepRecord, ...] = ()
    intents: tuple[Intent, ...] = ()
    jobs: tuple[JobIntent, ...] = ()
    effects: tuple[Done, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.state not in ("active", "parked")


def follow(run: Run, plan: Plan, node: str) -> Progress:
    """Ask the steps of `plan`, from `node` on, until the run waits, parks or ends.

    Args:
        run: The run as its present step sees it.
        plan: The frozen version that the run is pinned to.
        node: Where the run stands.

    Raises:
        Whatever a step raises; the caller counts it against the run.
    """
    walk = _Walk(run, plan, node)
    for _turn in range(MAX_STEPS):
        if not walk.turn():
            break
    return walk.progress()


_RUN_FIELDS: Final = tuple(field.name for field in fields(Run))
_values_of: Final = attrgetter(*_RUN_FIELDS)


def _but(run: Run, **other: Any) -> Run:
    """The run with some fields changed; `dataclasses.replace` takes three times as long."""
    values = list(_values_of(run))
    for name, value in other.items():
        values[_PLACES[name]] = value
    return Run(*values)


_PLACES: Final = {name: place for place, name in enumerate(_RUN_FIELDS)}


class _Walk:
    """A run on its way: what it sees, where it is, what it has done."""

    __slots__ = (
        "arrived_at", "effects", "intents", "jobs", "last_message_at", "node", "plan", "reason",
        "run", "seq", "state", "steps", "waiting", "wake_at",
    )  # fmt: skip

    def __init__(self, run: Run, plan: Plan, node: str) -> None:
        self.run = run if run.node == node else _but(run, node=node)
        self.plan = plan
        self.node = node
        self.seq = run.seq
        self.arrived_at = run.arrived_at
        self.wake_at: datetime | None = run.moment
        self.state = "active"
        self.reason = ""
        self.waiting = run.waiting
        self.last_message_at = run.last_message_at
        self.steps: list[StepRecord] = []
        self.intents: list[Intent] = []
        self.jobs: list[JobIntent] = []
        self.effects: list[Done] = []

    def progress(self) -> Progress:
        """Where the run stands now."""
        return Progress(
            self.run.enrolment_id,
            self.node,
            self.seq,
            self.arrived_at,
            self.wake_at,
            self.state,
            self.reason,
            self.waiting,
            self.last_message_at,
            tuple(self.steps),
            tuple(self.intents),
            tuple(self.jobs),
            tuple(self.effects),
        )

    def turn(self) -> bool:
        """Ask the present step; says whether to ask the next one."""
        step = self.plan.step(self.node)
        decision = step.decide(self.run)
        match decision:
            case Advance(port=port, note=note):
                self._record("advance", port, {"note": note} if note else {})
                self._move(port)
            case Act(effects=effects, port=port, note=note):
                self._record("act", port, {"note": note} if note else {})
                self._change(effects)
                self._move(port)
            case Send(template=template, channel=channel, port=port, expires_after=expires):
                self._record("send", port, {"template": template, "channel": channel})
                self._intend(template, channel, expires)
                self._move(port)
            case WaitUntil(at=until):
                self._stay("wait", until)
            case WaitFor(until=until):
                self._stay("wait_for", until)
            case Ask(kind=kind, data=data, until=until):
                self._ask(kind, data, until)
            case Exit(reason=reason, converted=converted):
                self._record("exit", "", {"reason": reason})
                ended = "completed" if reason == "completed" else "exited"
                self._end("converted" if converted else ended, reason)
            case Park(reason=reason):
                self._record("park", "", {"reason": reason})
                self._end("parked", reason)
            case _:
                self._record("park", "", {"reason": UNKNOWN_ANSWER})
                self._end("parked", UNKNOWN_ANSWER)
        return self.state == "active" and not self.waiting

    def _record(self, decision: str, port: str, detail: Mapping[str, Any]) -> None:
        self.seq += 1
        kind = self.plan.step(self.node).identifier
        self.steps.append(StepRecord(self.seq, self.node, kind, decision, port, detail))
        self.waiting = False

    def _move(self, port: str) -> None:
        run = self.run
        self.node = self.plan.next(self.node, port)
        self.arrived_at = self.wake_at = run.moment
        self.run = _but(
            run,
            node=self.node,
            seq=self.seq,
            arrived_at=run.moment,
            answer=None,
            waiting=False,
            last_message_at=self.last_message_at,
        )

    def _stay(self, decision: str, until: datetime | None) -> None:
        if not self.waiting:  # who was woken for nothing has decided nothing new
            self._record(decision, "", {"until": until.isoformat() if until else None})
        self._hold(until)

    def _ask(self, kind: str, data: Mapping[str, Any], until: datetime | None) -> None:
        if not self.waiting:
            self._record("ask", "", {"job": kind, "until": until.isoformat() if until else None})
            job = JobIntent(self.run.enrolment_id, self.seq, self.node, kind, data, until)
            self.jobs.append(job)
        self._hold(until)

    def _hold(self, until: datetime | None) -> None:
        # Never the present moment: that would mean "ask again at once", for ever.
        soonest = self.run.moment + _SOONEST
        self.wake_at = max(until, soonest) if until is not None else None
        self.waiting = True

    def _end(self, state: str, reason: str) -> None:
        self.wake_at, self.state, self.reason = None, state, reason

    def _intend(self, template: str, channel: str, expires_after: timedelta | None) -> None:
        self.intents.append(
            Intent(self.run.enrolment_id, self.seq, self.node, template, channel, expires_after)
        )
        self.last_message_at = self.run.moment

    def _change(self, effects: tuple[Effect, ...]) -> None:
        run = self.run
        self.effects.extend([Done(self.seq, effect) for effect in effects])
        for effect in effects:
            match effect:
                case ChangeContact():
                    run = _but(run, contact=changed(run.contact, effect))
                case Assign(experiment=experiment, variant=variant):
                    run = _but(run, assignments={**run.assignments, experiment: variant})
        self.run = run


def changed(facts: Mapping[str, Any], change: ChangeContact) -> dict[str, Any]:
    """The facts of a person after a change: what the steps behind it see."""
    found = {**facts, **change.facts}
    for name in [name for name, value in change.facts.items() if value is None]:
        del found[name]
    tags = [tag for tag in facts.get("tags") or () if tag not in change.remove_tags]
    found["tags"] = sorted({*tags, *change.add_tags})
    found["score"] = max(0, (facts.get("score") or 0) + change.score)
    return found
