"""What people decide about runs: pause and resume a journey, try a parked run again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from ..conf import TASK_RUN
from ..contacts.models import Contact
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..journeys.models import Journey
from .models import Enrolment

#: Rows that one statement holds or lets go.
CHUNK: Final = 2_000


@retrying
def retry_parked(enrolment_ids: Iterable[int], moment: datetime) -> int:
    """Let parked runs try their step again.

    Args:
        enrolment_ids: Runs; those that are not parked are left alone.
        moment: Now, of the database's clock.

    Returns:
        How many runs go on.
    """
    wanted = Enrolment.objects.filter(pk__in=set(enrolment_ids), state=Enrolment.State.PARKED)
    with engine_transaction():
        people = Contact.objects.filter(pk__in=wanted.values("contact_id"))
        list(locked(people).order_by("pk").values_list("pk"))
        # Not waiting: a step that had asked for something asks for it again.
        changes: dict[str, Any] = {
            "state": Enrolment.State.ACTIVE,
            "tries": 0,
            "reason": "",
            "waiting": False,
        }
        # In a paused journey they wait with the others: due, they would be in everybody's way.
        held = wanted.exclude(journey__state=Journey.State.RUNNING)
        count = held.update(wake_at=None, held_wake_at=moment, **changes)
        count += wanted.update(wake_at=moment, **changes)
        nudge(TASK_RUN)
    return count


def pause(journey: Journey) -> int:
    """Stop a journey: nobody enters, nobody moves, nothing of it is sent.

    Rows that are due are taken out of the queue, in chunks: left there, they would be looked at on
    every tick and starve everybody else's.

    Returns:
        How many runs are held.
    """
    with transaction.atomic():
        held_journey = Journey.objects.select_for_update(of=("self",)).get(pk=journey.pk)
        held_journey.state = Journey.State.PAUSED
        held_journey.save(update_fields=["state"])
    journey.state = Journey.State.PAUSED
    waiting = Enrolment.objects.filter(
        journey=journey, state=Enrolment.State.ACTIVE, wake_at__isnull=False
    )
    return _in_chunks(waiting, held_wake_at=F("wake_at"), wake_at=None)


def resume(journey: Journey) -> int:
    """Let a paused journey go on; waits kept running, so what fell due meanwhile is due now.

    Returns:
        How many runs go on.
    """
    with transaction.atomic():
        held_journey = Journey.objects.select_for_update(of=("self",)).get(pk=journey.pk)
        held_journey.state = Journey.State.RUNNING
        held_journey.save(update_fields=["state"])
    journey.state = Journey.State.RUNNING
    held = Enrolment.objects.filter(
        journey=journey, state=Enrolment.State.ACTIVE, held_wake_at__isnull=False
    )
    count = _in_chunks(held, wake_at=F("held_wake_at"), held_wake_at=None)
    nudge(TASK_RUN)
    return count


def _in_chunks(rows: QuerySet[Enrolment], **changes: Any) -> int:
    total = 0
    while ids := list(rows.values_list("pk", flat=True).order_by("pk")[:CHUNK]):
        with engine_transaction():
            people = Contact.objects.filter(
                pk__in=Enrolment.objects.filter(pk__in=ids).values("contact_id")
            )
            list(locked(people).order_by("pk").values_list("pk"))
            total += Enrolment.objects.filter(pk__in=ids).update(**changes)
    return total
