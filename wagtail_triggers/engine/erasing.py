"""An erased person's runs end at once; which way they went stays, what they said on it goes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from django.db.models import Case, QuerySet, Value, When

from ..contacts.erasing import SUBJECT_GONE, Eraser, Subject, Trace, on_erasure
from . import jobs
from .models import Enrolment, Job, Refusal, StepRun

_ENROLMENT: Final[dict[str, Any]] = {
    "key": "",
    "refs": [],
    # The words of an error may quote the person.
    "reason": Case(When(reason=SUBJECT_GONE, then=Value(SUBJECT_GONE)), default=Value("")),
}
_JOB: Final[dict[str, Any]] = {"data": {}, "result": {}, "reason": "", "reference": None}


def _runs(subject: Subject) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(contact_id__in=subject.contacts)


def _steps(subject: Subject) -> QuerySet[StepRun]:
    return StepRun.objects.filter(enrolment__contact_id__in=subject.contacts)


def _jobs(subject: Subject) -> QuerySet[Job]:
    return Job.objects.filter(contact_id__in=subject.contacts)


def _refusals(subject: Subject) -> QuerySet[Refusal]:
    return Refusal.objects.filter(contact_id__in=subject.contacts)


def _stop(subject: Subject, addresses: Collection[tuple[str, str]]) -> dict[str, int]:
    """End what is alive; parked runs too, for nobody shall try them again."""
    alive = _runs(subject).filter(state__in=Enrolment.ALIVE)
    ids = list(alive.values_list("pk", flat=True))
    Enrolment.objects.filter(pk__in=ids).update(
        state=Enrolment.State.EXITED,
        reason=SUBJECT_GONE,
        active_slot=None,
        wake_at=None,
        held_wake_at=None,
        ended_at=subject.moment,
    )
    jobs.cancel(ids, SUBJECT_GONE, subject.moment)
    return {}


def _busy(subject: Subject) -> bool:
    return _jobs(subject).filter(state__in=Job.PENDING).exists()


on_erasure(
    "engine",
    Eraser(
        traces=(
            Trace(StepRun, _steps, {"detail": {}}),
            Trace(Job, _jobs, _JOB),
            Trace(Refusal, _refusals, {"detail": []}),
            Trace(Enrolment, _runs, _ENROLMENT),
        ),
        stop=_stop,
        busy=_busy,
    ),
)
