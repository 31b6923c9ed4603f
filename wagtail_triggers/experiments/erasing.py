"""Which variant an erased person had is nobody's any more."""

from __future__ import annotations

from django.db.models import QuerySet

from ..contacts.erasing import Eraser, Subject, Trace, on_erasure
from .models import Assignment


def _assignments(subject: Subject) -> QuerySet[Assignment]:
    return Assignment.objects.filter(contact_id__in=subject.contacts)


on_erasure("experiments", Eraser(traces=(Trace(Assignment, _assignments),)))
