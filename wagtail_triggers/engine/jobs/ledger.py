"""Write what steps ask for into the ledger of jobs, and read the answers; in sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ...journeys.steps.base import Answer
from ..advance import Progress
from ..models import Enrolment, Job


def insert(progress: Sequence[Progress], rows: Mapping[int, Enrolment], moment: datetime) -> int:
    """Insert a job for each that a step asked for; one statement, or none.

    Returns:
        How many were inserted.
    """
    wanted = [
        Job(
            site_id=rows[job.enrolment_id].site_id,
            contact_id=rows[job.enrolment_id].contact_id,
            enrolment_id=job.enrolment_id,
            seq=job.seq,
            node=job.node,
            kind=job.kind,
            data=dict(job.data),
            due_at=moment,
            deadline=job.until,
            depth=rows[job.enrolment_id].depth,
            created_at=moment,
        )
        for one in progress
        for job in one.jobs
    ]
    if wanted:
        Job.objects.bulk_create(sorted(wanted, key=lambda job: (job.enrolment_id, job.seq)))
    return len(wanted)


def answers(rows: Iterable[Enrolment]) -> dict[int, Answer]:
    """What became of the job that each run's present step asked for; one query, or none.

    A job of an earlier visit to the same step is no answer to this one.
    """
    waiting = {row.pk: row for row in rows if row.waiting}
    if not waiting:
        return {}
    found: dict[int, Answer] = {}
    for job in Job.objects.filter(enrolment_id__in=waiting).order_by("seq"):
        row = waiting[job.enrolment_id]
        if job.node == row.node and job.seq == row.seq:
            state = "pending" if job.state in Job.PENDING else job.state
            found[row.pk] = Answer(job.kind, state, job.result, job.reason)
    return found


def cancel(enrolment_ids: Iterable[int], reason: str, moment: datetime) -> int:
    """Cancel what nobody has begun for these runs, whose contacts are locked.

    Returns:
        How many jobs were cancelled.
    """
    return Job.objects.filter(
        enrolment_id__in=set(enrolment_ids), state__in=(Job.State.PLANNED, Job.State.OPEN)
    ).update(
        state=Job.State.CANCELLED,
        reason=reason[:255],
        due_at=None,
        token=None,
        lease_until=None,
        settled_at=moment,
    )
