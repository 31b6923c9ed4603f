"""Claim due jobs, begin and settle each, and take back what dead workers held.

As with messages: contacts are locked first, then jobs, which are read again under the lock. A batch
is only *claimed*; the one that is being carried out is `working`. So a killed worker leaves one job
of which nobody knows whether it happened, and that one alone pays for the death.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError
from django.utils.translation import gettext_noop

from ...conf import settings
from ...contacts.locking import lock_ids
from ...contacts.models import Contact
from ...core import clock
from ...core.bulk import update_rows
from ...core.locking import engine_transaction, locked, retrying
from ...journeys.models import Journey
from ...messages.models import TriggersSettings
from ..models import Enrolment, Job
from .base import JobKind, Verdict
from .registry import kinds
from .retries import TOO_LATE
from .waking import wake

logger = logging.getLogger("wagtail_triggers.jobs")

#: Jobs that one claim takes. Small, so that a pause or a stop reaches most of them.
BATCH: Final = 20
#: How long a job waits whose kind could not prepare it.
PREPARE_AGAIN: Final = timedelta(minutes=1)

GONE: Final = gettext_noop("The run has gone on without it.")
PAUSED: Final = gettext_noop("The journey is paused.")
SWITCHED_OFF: Final = gettext_noop("Sending is switched off for this site.")
WORKERS_DIED: Final = gettext_noop("The worker died each time it was about to do this.")
NO_KIND: Final = gettext_noop(
    "Nobody knows how to do this. Is the app that brought one of the journey's steps still "
    "installed?"
)

_WRITTEN: Final = (
    "state", "reason", "result", "reference", "data", "due_at", "held_due_at", "token",
    "lease_until", "tries", "settled_at",
)  # fmt: skip


@dataclass(slots=True)
class Claim:
    """What one worker holds. `handled` counts what was settled or put off without an attempt."""

    token: uuid.UUID
    taken_at: float
    jobs: list[Job] = field(default_factory=list)
    handled: int = 0


def kind_of(job: Job) -> JobKind | None:
    """The kind of a job; None where the app that brought it is gone."""
    return kinds.get(job.kind) if job.kind in kinds else None


@retrying
def take(limit: int = BATCH) -> Claim:
    """Claim a batch of due jobs; settle at once what needs no attempt, or may have none."""
    claim = Claim(uuid.uuid4(), time.monotonic())
    moment = clock.now()
    tried: set[int] = set()
    # Where another worker is just claiming what comes first, look behind it instead of giving up.
    for window in (limit, 2 * limit, 4 * limit):
        found = _candidates(moment, window)
        candidates = dict([(pk, who) for pk, who in found.items() if pk not in tried][:limit])
        if not candidates:
            break
        tried |= candidates.keys()
        with engine_transaction():
            rows = _locked(candidates, moment)
            _claim(rows, claim, moment)
        if rows:
            break
    return claim


def _candidates(moment: datetime, limit: int) -> dict[int, int]:
    """Ids of due jobs with their contacts', read without a lock."""
    due = Job.objects.filter(due_at__lte=moment, state=Job.State.PLANNED).order_by("due_at")
    return dict(due.values_list("pk", "contact_id")[:limit])


def _locked(candidates: Mapping[int, int], moment: datetime) -> list[Job]:
    people = Contact.objects.filter(pk__in=set(candidates.values()))
    contacts = lock_ids(people, skip_locked=True)
    return list(
        locked(
            Job.objects.filter(
                pk__in=candidates,
                contact_id__in=contacts,
                due_at__lte=moment,
                state=Job.State.PLANNED,
            )
        ).order_by("pk")
    )


def _claim(rows: Sequence[Job], claim: Claim, moment: datetime) -> None:
    """Decide about locked rows, prepare what is new, write it all; a fixed number of queries."""
    verdicts = stopped(rows, moment)
    verdicts |= _prepared([row for row in rows if row.pk not in verdicts], moment)
    for row in rows:
        verdict = verdicts.get(row.pk)
        if verdict is not None:
            apply(row, verdict, moment)
            claim.handled += 1
        else:
            row.state, row.token, row.due_at = Job.State.CLAIMED, claim.token, None
            row.lease_until = moment + settings.lease
            claim.jobs.append(row)
    update_rows(Job, rows, _WRITTEN)
    wake([row for row in rows if row.settled_at is not None], moment)


def stopped(rows: Sequence[Job], moment: datetime) -> dict[int, Verdict]:
    """Verdicts on jobs that may not be attempted now; three queries, whatever their number.

    Asked after the lock, in statements of their own: what was read before it may be old.
    """
    if not rows:
        return {}
    runs = Enrolment.objects.in_bulk({row.enrolment_id for row in rows})
    states = dict(
        Journey.objects.filter(pk__in={run.journey_id for run in runs.values()}).values_list(
            "pk", "state"
        )
    )
    off = set(
        TriggersSettings.objects.filter(
            site_id__in={row.site_id for row in rows}, sending_on=False
        ).values_list("site_id", flat=True)
    )
    found: dict[int, Verdict] = {}
    for row in rows:
        run = runs.get(row.enrolment_id)
        if run is None or not _waits_for(run, row):
            verdict: Verdict | None = Verdict(Job.State.CANCELLED, GONE)
        else:
            lasted = moment - run.stood_still
            verdict = _verdict(row, states[run.journey_id], row.site_id in off, moment, lasted)
        if verdict is not None:
            found[row.pk] = verdict
    return found


def _waits_for(run: Enrolment, row: Job) -> bool:
    return run.state == Enrolment.State.ACTIVE and run.waiting and run.seq == row.seq


def _verdict(
    row: Job, journey: str, off: bool, moment: datetime, lasted: datetime
) -> Verdict | None:
    """What stops a job that its run waits for; `lasted` is the moment by the run's own clock."""
    if kind_of(row) is None:
        return Verdict(Job.State.FAILED, NO_KIND)
    if row.tries >= settings.MAX_TRIES:
        return Verdict(Job.State.FAILED, row.reason or WORKERS_DIED)
    if row.deadline is not None and row.deadline <= lasted:
        return Verdict(Job.State.FAILED, row.reason or TOO_LATE)
    if journey == Journey.State.PAUSED:
        return Verdict(Job.State.PLANNED, PAUSED, due_at=moment, held=True)
    if off:
        return Verdict(Job.State.PLANNED, SWITCHED_OFF, due_at=moment, held=True)
    return None


def _prepared(rows: Iterable[Job], moment: datetime) -> dict[int, Verdict]:
    """Let each kind prepare its new jobs; returns those that are not to be attempted now."""
    new: dict[str, list[Job]] = defaultdict(list)
    for row in rows:
        if row.reference is None:
            new[row.kind].append(row)
    found: dict[int, Verdict] = {}
    for name, jobs in new.items():
        try:
            found.update(kinds.get(name).prepare(jobs, moment))
        except DatabaseError:
            raise
        except Exception as error:  # a kind of a host may raise whatever it likes: it pays for it
            logger.exception("Jobs of the kind %s cannot be prepared", name)
            words = f"{type(error).__name__}: {error}"[:255]
            for job in jobs:
                job.tries += 1
                found[job.pk] = Verdict(Job.State.PLANNED, words, due_at=moment + PREPARE_AGAIN)
    return found


def apply(row: Job, verdict: Verdict, moment: datetime) -> None:
    """Put a verdict into a row; does not save."""
    row.state, row.reason, row.due_at = verdict.state, verdict.reason[:255], verdict.due_at
    row.result = dict(verdict.result)
    row.token = row.lease_until = None
    row.settled_at = moment if verdict.terminal else None
    if verdict.held:
        row.due_at, row.held_due_at = None, verdict.due_at
    if verdict.anew:
        row.reference = None


@retrying
def begin(job: Job, token: uuid.UUID) -> datetime | None:
    """Move a claimed job to `working`, if nothing stops it now.

    Returns:
        The moment at which it was begun; None where it was stopped, or is no longer ours.
    """
    with engine_transaction():
        lock_person(job)
        moment = clock.now()
        row = _mine(job, token, Job.State.CLAIMED)
        if row is None:
            return None
        verdict = stopped([row], moment).get(row.pk)
        if verdict is not None:
            _settle(row, verdict, moment)
            return None
        row.state, row.lease_until = Job.State.WORKING, moment + settings.lease
        row.attempts += 1
        row.save(update_fields=["state", "lease_until", "attempts"])
    job.attempts = row.attempts
    return moment


@retrying
def settle(job: Job, token: uuid.UUID, verdict: Verdict) -> bool:
    """Write what became of a job that was begun, and wake its run; False if it was taken over."""
    with engine_transaction():
        lock_person(job)
        row = _mine(job, token, Job.State.WORKING)
        if row is None:
            logger.warning(
                "Job %s was taken over before its outcome (%s) could be written",
                job.public_id,
                verdict.state,
            )
            return False
        _settle(row, verdict, clock.now())
    return True


def _settle(row: Job, verdict: Verdict, moment: datetime) -> None:
    apply(row, verdict, moment)
    row.save(update_fields=_WRITTEN)
    if verdict.terminal:
        wake([row], moment)


def _mine(job: Job, token: uuid.UUID, state: str) -> Job | None:
    return locked(Job.objects.filter(pk=job.pk, token=token, state=state)).first()


def lock_person(job: Job) -> None:
    """Lock whom the job is for *now*: the contact may have been merged since it was read."""
    while True:
        contact = locked(Contact.objects.filter(pk=job.contact_id)).first()
        if contact is None or contact.merged_into_id is None:
            return
        job.contact_id = contact.merged_into_id


def give_back(jobs: Sequence[Job], token: uuid.UUID, wait: timedelta) -> None:
    """Plan again what was claimed and not begun."""
    if jobs:
        Job.objects.filter(
            pk__in=[job.pk for job in jobs], token=token, state=Job.State.CLAIMED
        ).update(state=Job.State.PLANNED, token=None, lease_until=None, due_at=clock.now() + wait)


@retrying
def reap(limit: int = 500) -> int:
    """Take back what dead workers held; returns how many jobs.

    The one that was in hand pays for the death. After three it has failed, and its run is told.
    """
    moment = clock.now()
    expired = Job.objects.filter(
        lease_until__lt=moment, state__in=(Job.State.CLAIMED, Job.State.WORKING)
    ).order_by("lease_until", "pk")
    candidates = dict(expired.values_list("pk", "contact_id")[:limit])
    if not candidates:
        return 0
    with engine_transaction():
        people = Contact.objects.filter(pk__in=set(candidates.values()))
        contacts = lock_ids(people, skip_locked=True)
        rows = list(
            locked(expired.filter(pk__in=candidates, contact_id__in=contacts), skip_locked=True)
        )
        for row in rows:
            if row.state == Job.State.WORKING:
                row.tries += 1
            if row.tries >= settings.MAX_TRIES:
                verdict = Verdict(Job.State.FAILED, WORKERS_DIED)
            else:
                verdict = Verdict(Job.State.PLANNED, row.reason, due_at=moment)
            apply(row, verdict, moment)
        update_rows(Job, rows, _WRITTEN)
        wake([row for row in rows if row.settled_at is not None], moment)
    return len(rows)
