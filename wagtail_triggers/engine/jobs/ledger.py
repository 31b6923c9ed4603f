"""Write what steps ask for into the ledger of jobs, and read the answers; in sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_noop

from ...conf import TASK_JOBS
from ...core.any_of import AnyOf
from ...core.queue import nudge
from ...journeys.steps.base import Answer
from ..advance import JobIntent, Progress
from ..models import Job
from ..rows import RunRow
from ..store import DueRun
from .registry import kinds

TIMED_OUT: Final = gettext_noop("Nobody answered in time; the run has gone on without it.")

#: What nobody holds in hand.
_AT_REST: Final = (Job.State.PLANNED, Job.State.OPEN)


def insert(progress: Sequence[Progress], rows: Mapping[int, RunRow], moment: datetime) -> int:
    """Insert a job for each that a step asked for; one statement, or none.

    Returns:
        How many were inserted.
    """
    wanted = [
        _job(intent, rows[intent.enrolment_id], moment) for one in progress for intent in one.jobs
    ]
    if wanted:
        Job.objects.bulk_create(sorted(wanted, key=lambda job: (job.enrolment_id, job.seq)))
    if any(job.state == Job.State.PLANNED for job in wanted):
        nudge(TASK_JOBS)
    return len(wanted)


def _job(intent: JobIntent, row: RunRow, moment: datetime) -> Job:
    by_person = intent.kind in kinds and kinds.get(intent.kind).by_person
    return Job(
        site_id=row.site_id,
        contact_id=row.contact_id,
        enrolment_id=row.pk,
        seq=intent.seq,
        node=intent.node,
        kind=intent.kind,
        data=dict(intent.data),
        state=Job.State.OPEN if by_person else Job.State.PLANNED,
        due_at=None if by_person else moment,
        deadline=intent.until,
        depth=row.depth,
        created_at=moment,
    )


def answers(rows: Iterable[RunRow]) -> dict[int, Answer]:
    """What became of the job that each run's present step asked for; one query, or none.

    A job of an earlier visit to the same step is no answer to this one.
    """
    waiting = {row.pk: row for row in rows if row.waiting}
    if not waiting:
        return {}
    found: dict[int, Answer] = {}
    for job in Job.objects.filter(AnyOf("enrolment_id", waiting)).order_by("seq"):
        row = waiting[job.enrolment_id]
        if job.node == row.node and job.seq == row.seq:
            state = "pending" if job.state in Job.PENDING else job.state
            found[row.pk] = Answer(job.kind, state, job.result, job.reason)
    return found


def leave(runs: Sequence[DueRun], progress: Sequence[Progress], moment: datetime) -> int:
    """Cancel the jobs of runs that have gone on without their answers; one statement, or none.

    What a worker has in hand is left to it: it may have happened already. Call it before `insert`.

    Args:
        runs: The batch, as it was before.
        progress: What became of it.

    Returns:
        How many jobs were cancelled.
    """
    asked = {
        due.run.enrolment_id
        for due in runs
        if due.run.answer is not None and due.run.answer.state == "pending"
    }
    gone = {one.enrolment_id for one in progress if one.enrolment_id in asked and one.steps}
    return cancel(gone, TIMED_OUT, moment)


def cancel(enrolment_ids: Iterable[int], reason: str, moment: datetime) -> int:
    """Cancel what nobody has begun for these runs, whose contacts are locked.

    Returns:
        How many jobs were cancelled.
    """
    ids = set(enrolment_ids)
    if not ids:
        return 0
    return Job.objects.filter(enrolment_id__in=ids, state__in=_AT_REST).update(
        state=Job.State.CANCELLED,
        reason=reason[:255],
        due_at=None,
        token=None,
        lease_until=None,
        settled_at=moment,
    )
