"""Follow a run from step to step until it waits or ends. Pure: no database, no clock, no room.

The same code carries out a run for real, simulates it and tests it back; what differs is the
store behind it (`engine.store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
    return walk.progress


class _Walk:
    """A run on its way: what it sees, where it is, what it has done."""

    def __init__(self, run: Run, plan: Plan, node: str) -> None:
        self.run = replace(run, node=node)
        self.plan = plan
        self.progress = Progress(
            run.enrolment_id,
            node,
            run.seq,
            run.arrived_at,
            run.moment,
            waiting=run.waiting,
            last_message_at=run.last_message_at,
        )

    def turn(self) -> bool:
        """Ask the present step; says whether to ask the next one."""
        step = self.plan.step(self.progress.node)
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
                self._stay("wait", until, {"until": until.isoformat()})
            case WaitFor(until=until):
                self._stay("wait_for", until, {"until": until.isoformat() if until else None})
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
        return self.progress.state == "active" and not self.progress.waiting

    def _record(self, decision: str, port: str, detail: Mapping[str, Any]) -> None:
        at = self.progress
        seq = at.seq + 1
        kind = self.plan.step(at.node).identifier
        record = StepRecord(seq, at.node, kind, decision, port, detail)
        self.progress = replace(at, seq=seq, steps=(*at.steps, record), waiting=False)

    def _move(self, port: str) -> None:
        run, at = self.run, self.progress
        target = self.plan.next(at.node, port)
        self.progress = replace(at, node=target, arrived_at=run.moment, wake_at=run.moment)
        self.run = replace(
            run,
            node=target,
            seq=at.seq,
            arrived_at=run.moment,
            answer=None,
            waiting=False,
            last_message_at=at.last_message_at,
        )

    def _stay(self, decision: str, until: datetime | None, detail: Mapping[str, Any]) -> None:
        if not self.progress.waiting:  # who was woken for nothing has decided nothing new
            self._record(decision, "", detail)
        self._hold(until)

    def _ask(self, kind: str, data: Mapping[str, Any], until: datetime | None) -> None:
        if not self.progress.waiting:
            self._record("ask", "", {"job": kind, "until": until.isoformat() if until else None})
            at = self.progress
            job = JobIntent(self.run.enrolment_id, at.seq, at.node, kind, data, until)
            self.progress = replace(at, jobs=(*at.jobs, job))
        self._hold(until)

    def _hold(self, until: datetime | None) -> None:
        # Never the present moment: that would mean "ask again at once", for ever.
        soonest = self.run.moment + timedelta(seconds=1)
        wake_at = max(until, soonest) if until is not None else None
        self.progress = replace(self.progress, wake_at=wake_at, waiting=True)

    def _end(self, state: str, reason: str) -> None:
        self.progress = replace(self.progress, wake_at=None, state=state, reason=reason)

    def _intend(self, template: str, channel: str, expires_after: timedelta | None) -> None:
        at = self.progress
        intent = Intent(self.run.enrolment_id, at.seq, at.node, template, channel, expires_after)
        self.progress = replace(at, intents=(*at.intents, intent), last_message_at=self.run.moment)

    def _change(self, effects: tuple[Effect, ...]) -> None:
        at, run = self.progress, self.run
        done = tuple(Done(at.seq, effect) for effect in effects)
        self.progress = replace(at, effects=(*at.effects, *done))
        for effect in effects:
            match effect:
                case ChangeContact():
                    run = replace(run, contact=changed(run.contact, effect))
                case Assign(experiment=experiment, variant=variant):
                    run = replace(run, assignments={**run.assignments, experiment: variant})
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
