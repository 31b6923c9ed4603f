"""What people decide about tasks: a click releases a run, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ...core import clock
from ...core.locking import engine_transaction, locked, retrying
from ..models import Enrolment, Job, Task
from .base import Verdict
from .claim import apply, lock_person
from .waking import wake


class Release(StrEnum):
    """What became of a click."""

    DONE = "done"
    #: Somebody else has decided, or the run has gone on.
    SETTLED = "settled"
    #: The deadline has passed.
    LATE = "late"
    #: The run is parked: it has to be tried again first.
    PARKED = "parked"
    #: There is no such choice.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: which choice, who they are, and why."""

    choice: str
    by: str
    by_id: int | None = None
    note: str = ""


def choices(job: Job) -> dict[str, str]:
    """The ways out that a task offers: labels by name, in the editor's order."""
    return {str(one["name"]): str(one["label"]) for one in job.data.get("choices") or ()}


def closes_at(job: Job, run: Enrolment) -> datetime | None:
    """When a task closes: its deadline, moved on by pauses whose clocks stood still."""
    return None if job.deadline is None else job.deadline + run.stood_still


@retrying
def release(pk: int, decision: Decision) -> Release:
    """Settle an open task and let its run go on; under the lock of its person.

    Args:
        pk: The primary key of a task.

    Returns:
        What became of it: a task is settled once, and never after its deadline.
    """
    job = Task.objects.get(pk=pk)
    with engine_transaction():
        lock_person(job)
        moment = clock.now()
        row = locked(Job.objects.filter(pk=pk)).get()
        refused = _refusal(row, decision, moment)
        if refused is not None:
            return refused
        apply(row, Verdict(Job.State.DONE, result=_result(decision, moment)), moment)
        row.save(update_fields=["state", "reason", "result", "due_at", "settled_at"])
        wake([row], moment)
    return Release.DONE


def _refusal(row: Job, decision: Decision, moment: datetime) -> Release | None:
    run = Enrolment.objects.get(pk=row.enrolment_id)
    closes = closes_at(row, run)
    late = closes is not None and closes <= moment
    if row.state == Job.State.OPEN and run.state == Enrolment.State.PARKED:
        return Release.PARKED
    if row.state != Job.State.OPEN or run.seq != row.seq or not run.waiting:
        return Release.LATE if late and row.state != Job.State.DONE else Release.SETTLED
    if late:
        return Release.LATE
    return None if decision.choice in choices(row) else Release.UNKNOWN


def _result(decision: Decision, moment: datetime) -> dict[str, Any]:
    return {
        "choice": decision.choice,
        "by": decision.by,
        "by_id": decision.by_id,
        "note": decision.note,
        "at": moment.isoformat(),
    }
