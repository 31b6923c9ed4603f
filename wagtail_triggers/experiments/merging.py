"""When two contacts turn out to be one, their variants follow."""

from __future__ import annotations

from datetime import datetime

from ..contacts.merge import on_merge
from ..contacts.models import Contact
from .models import Assignment


@on_merge("experiments")
def follow(loser: Contact, winner: Contact, moment: datetime) -> None:
    """Move the loser's variants; where both have one of the same experiment, the older stays."""
    rows = Assignment.objects.filter(contact_id__in=(loser.pk, winner.pk)).order_by("at", "pk")
    first: dict[str, Assignment] = {}
    later: list[int] = []
    for row in rows:
        if first.setdefault(row.experiment, row) is not row:
            later.append(row.pk)
    Assignment.objects.filter(pk__in=later).delete()
    Assignment.objects.filter(contact_id=loser.pk).update(contact_id=winner.pk)
