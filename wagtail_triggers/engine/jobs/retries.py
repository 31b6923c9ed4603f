"""What becomes of a job after an attempt. Pure: an outcome in, a verdict out."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from ...core.http import Fate
from ..models import Job
from .base import JobKind, Outcome, Verdict

#: First wait and longest wait between attempts.
FIRST_RETRY: Final = timedelta(seconds=30)
LONGEST_RETRY: Final = timedelta(hours=1)

TOO_LATE: Final = gettext_noop("There was no answer until it was too late.")
NO_REASON: Final = gettext_noop("It was refused.")


def after(job: Job, outcome: Outcome, kind: JobKind, moment: datetime) -> Verdict:
    """What the outcome of an attempt means for the job.

    An ambiguous attempt is repeated like one that never left: whatever a kind sends carries the
    same id each time.

    Args:
        job: As it was when it was begun; `attempts` counts this attempt.
        outcome: What is known.
        moment: Now.
    """
    if outcome.fate is Fate.ACCEPTED:
        return Verdict(Job.State.DONE, result=outcome.result)
    if outcome.fate is Fate.REFUSED:
        return Verdict(Job.State.FAILED, outcome.detail[:255] or NO_REASON)
    if job.attempts >= kind.max_attempts:
        return Verdict(Job.State.FAILED, outcome.detail[:255] or TOO_LATE)
    due = moment + _wait(job.attempts, outcome.retry_after)
    if job.deadline is not None and due >= job.deadline:
        return Verdict(Job.State.FAILED, outcome.detail[:255] or TOO_LATE)
    return Verdict(Job.State.PLANNED, outcome.detail[:255], due_at=due, anew=outcome.anew)


def _wait(attempts: int, asked: float | None) -> timedelta:
    """Exponential with full jitter; what the other side asked for is obeyed."""
    if asked is not None:
        return timedelta(seconds=max(0.0, asked))
    longest = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 10))
    seconds = longest.total_seconds() * random.random()  # noqa: S311 - jitter, not a secret
    return timedelta(seconds=seconds)
