"""When two contacts turn out to be one, their runs and messages follow."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ..contacts.merge import on_merge
from ..contacts.models import Contact
from ..messages import ledger
from ..messages.models import Message
from . import jobs
from .models import Enrolment, Job, Refusal

MERGED: Final = "merged"


@on_merge("engine")
def follow(loser: Contact, winner: Contact, moment: datetime) -> None:
    """Move the loser's runs; of two about the same object, the further-advanced one stays."""
    alive = Enrolment.objects.filter(
        contact_id__in=(loser.pk, winner.pk), state__in=Enrolment.ALIVE
    ).order_by("-seq", "entered_at", "pk")
    seen: set[tuple[int, str]] = set()
    for row in alive:
        slot = (row.journey_id, row.key)
        if slot in seen:
            row.state, row.reason = Enrolment.State.EXITED, MERGED
            row.active_slot = row.wake_at = row.held_wake_at = None
            row.ended_at = moment
            row.save(
                update_fields=[
                    "state", "reason", "active_slot", "wake_at", "held_wake_at", "ended_at",
                ]
            )  # fmt: skip
            ledger.cancel([row.pk], MERGED, moment)
            jobs.cancel([row.pk], MERGED, moment)
        seen.add(slot)
    for model in (Enrolment, Job, Message, Refusal):
        model._default_manager.filter(contact_id=loser.pk).update(contact_id=winner.pk)
