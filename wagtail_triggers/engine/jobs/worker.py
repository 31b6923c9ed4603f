"""Carry out claimed jobs one by one. Nothing crosses the network inside a transaction."""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from ...conf import settings
from ...core.http import Fate
from ..models import Job
from .base import JobKind, Outcome
from .claim import BATCH, Claim, begin, give_back, kind_of, settle, take
from .retries import after

logger = logging.getLogger("wagtail_triggers.jobs")

#: What says that a lane does not work at present.
_IN_TROUBLE: Final = frozenset({Fate.NEVER_LEFT, Fate.AMBIGUOUS})
#: After so many such attempts of one lane, one after the other, the rest of it waits.
GIVE_UP_AFTER: Final = 3
GIVE_UP_FOR: Final = timedelta(seconds=30)
#: Seconds after which a batch begins nothing more: a task has its time limit too.
LONGEST_BATCH: Final = 40.0
#: What one attempt may take, so that the batch ends before its task is killed.
LONGEST_ATTEMPT: Final = 25.0


def work_batch(limit: int = BATCH) -> int:
    """Claim and carry out a batch of due jobs.

    Returns:
        How many jobs were claimed or settled; 0 means that nothing is due.
    """
    claim = take(limit)
    failures: Counter[str] = Counter()
    for number, job in enumerate(claim.jobs):
        kind = kind_of(job)
        if kind is None or not _in_time(claim, kind):
            give_back(claim.jobs[number:], claim.token, timedelta(0))
            break
        lane = kind.lane(job)
        if failures[lane] >= GIVE_UP_AFTER:
            give_back([job], claim.token, GIVE_UP_FOR)
            continue
        moment = begin(job, claim.token)
        if moment is None:
            continue
        outcome = _carry_out(kind, job, moment)
        settle(job, claim.token, after(job, outcome, kind, moment))
        # One that answers nothing in time holds us up more than one that is down.
        failures[lane] = failures[lane] + 1 if outcome.fate in _IN_TROUBLE else 0
    return claim.handled + len(claim.jobs)


def _carry_out(kind: JobKind, job: Job, moment: datetime) -> Outcome:
    try:
        return kind.carry_out(job, moment)
    except Exception as error:  # a kind of a host may raise whatever it likes
        logger.exception("The job %s raised instead of answering", job.public_id)
        return Outcome(Fate.AMBIGUOUS, detail=f"{type(error).__name__}: {error}"[:255])


def _in_time(claim: Claim, kind: JobKind) -> bool:
    """Whether one more attempt surely ends inside the lease that the claim began with."""
    gone = time.monotonic() - claim.taken_at
    longest = kind.longest() + 10
    return min(settings.LEASE_SECONDS, LONGEST_BATCH + longest) - gone > longest
