"""Wagtail's own history of what people decided about somebody who is erased."""

from __future__ import annotations

from typing import Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast
from wagtail.models import ModelLogEntry

from ..contacts.erasing import Eraser, Subject, Trace, on_erasure
from ..contacts.models import Contact
from ..engine.models import Enrolment, Job, Task
from ..messages.models import Message

#: As it stands in the audit log, and in `register_log_actions`.
ERASE: Final = "wagtail_triggers.erase"


def _entries(subject: Subject) -> QuerySet[ModelLogEntry]:
    """What was logged about the person, their runs, tasks and messages; not the erasure itself."""
    of_them = Q(pk__in=())
    for model, kinds in ((Contact, (Contact,)), (Enrolment, (Enrolment,)),
                         (Job, (Job, Task)), (Message, (Message,))):  # fmt: skip
        name = "pk__in" if model is Contact else "contact_id__in"
        ids = model._default_manager.filter(**{name: subject.contacts}).annotate(
            name_in_log=Cast("pk", CharField())
        )
        types = [
            ContentType.objects.get_for_model(kind, for_concrete_model=False) for kind in kinds
        ]
        of_them |= Q(content_type__in=types, object_id__in=ids.values("name_in_log"))
    rows: QuerySet[ModelLogEntry] = ModelLogEntry.objects.filter(of_them).exclude(action=ERASE)
    return rows


on_erasure("admin", Eraser(traces=(Trace(ModelLogEntry, _entries, {"label": "", "data": {}}),)))
