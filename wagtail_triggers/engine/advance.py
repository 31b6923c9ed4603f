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
from ..journeys.steps.decisions import Advance, Exit, Park, Send, WaitUntil

#: A run that does not park within this many steps goes on at the next tick; others get a turn.
MAX_STEPS: Final = 100


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
    template: str
    channel: str
    expires_after: timedelta | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after it was followed, and what it did on the way.

    `state` is a value of `Enrolment.State`; `wake_at` is None where it does not wait for time.
    """

    enrolment_id: int
    node: str
    seq: int
    arrived_at: datetime
    wake_at: datetime | None
    state: str = "active"
    reason: str = ""
    steps: tuple[StepRecord, ...] = ()
    intents: tuple[Intent, ...] = ()

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
    steps: list[StepRecord] = []
    intents: list[Intent] = []
    progress = Progress(run.enrolment_id, node, run.seq, run.arrived_at, run.moment)
    for _turn in range(MAX_STEPS):
        progress, record, intent = _turn_of(run, plan, progress)
        steps.append(record)
        if intent is not None:
            intents.append(intent)
        if progress.ended or progress.state == "parked" or progress.wake_at != run.moment:
            break
        run = replace(run, seq=progress.seq, arrived_at=progress.arrived_at)
    return replace(progress, steps=tuple(steps), intents=tuple(intents))


def _turn_of(run: Run, plan: Plan, at: Progress) -> tuple[Progress, StepRecord, Intent | None]:
    step = plan.step(at.node)
    decision = step.decide(run)
    seq = at.seq + 1
    intent: Intent | None = None
    match decision:
        case Advance(port=port, note=note):
            moved = _moved(run, plan, at, port)
            record = StepRecord(
                seq, at.node, step.identifier, "advance", port, {"note": note} if note else {}
            )
        case WaitUntil(at=until):
            # Never the present moment: that would mean "ask again at once", for ever.
            moved = replace(at, wake_at=max(until, run.moment + timedelta(seconds=1)))
            record = StepRecord(
                seq, at.node, step.identifier, "wait", "", {"until": until.isoformat()}
            )
        case Send(template=template, channel=channel, port=port, expires_after=expires_after):
            moved = _moved(run, plan, at, port)
            intent = Intent(run.enrolment_id, seq, template, channel, expires_after)
            record = StepRecord(
                seq,
                at.node,
                step.identifier,
                "send",
                port,
                {"template": template, "channel": channel},
            )
        case Exit(reason=reason, converted=converted):
            state = (
                "converted" if converted else ("completed" if reason == "completed" else "exited")
            )
            moved = replace(at, wake_at=None, state=state, reason=reason)
            record = StepRecord(seq, at.node, step.identifier, "exit", "", {"reason": reason})
        case Park(reason=reason):
            moved = replace(at, wake_at=None, state="parked", reason=reason)
            record = StepRecord(seq, at.node, step.identifier, "park", "", {"reason": reason})
        case _:
            text = gettext_noop("The step gave an answer that the engine does not know.")
            moved = replace(at, wake_at=None, state="parked", reason=text)
            record = StepRecord(seq, at.node, step.identifier, "park", "", {"reason": text})
    return replace(moved, seq=seq), record, intent


def _moved(run: Run, plan: Plan, at: Progress, port: str) -> Progress:
    target = plan.next(at.node, port)
    return replace(at, node=target, arrived_at=run.moment, wake_at=run.moment)
