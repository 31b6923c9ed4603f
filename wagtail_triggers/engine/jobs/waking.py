"""Let runs look at what became of their jobs; under the locks of their contacts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ...conf import TASK_RUN
from ...core.bulk import update_rows
from ...core.queue import nudge
from ..holding import as_expression, stopped
from ..models import Enrolment, Job


def wake(jobs: Iterable[Job], moment: datetime) -> int:
    """Wake the runs that still wait for these jobs; two queries, or none.

    A run that a pause or a switch holds looks when it is let go. One that has moved on is left
    alone.

    Returns:
        How many runs look again.
    """
    waited_for = {job.enrolment_id: job.seq for job in jobs}
    if not waited_for:
        return 0
    found = Enrolment.objects.filter(
        pk__in=waited_for, state=Enrolment.State.ACTIVE, waiting=True
    ).annotate(is_held=as_expression(stopped()))
    rows = [row for row in found if row.seq == waited_for[row.pk]]
    for row in rows:
        if row.is_held:
            row.held_wake_at = row.due_since = moment
        else:
            row.wake_at = moment
    update_rows(Enrolment, rows, ["wake_at", "held_wake_at", "due_since"])
    if rows:
        nudge(TASK_RUN)
    return len(rows)
