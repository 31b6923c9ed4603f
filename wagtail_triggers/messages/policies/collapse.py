"""Of overdue reminders that say the same thing, the newest leaves: nobody gets a flood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_noop

from ..models import Message

#: What should have left longer ago than this is overdue: workers were down, or too few.
OVERDUE: Final = timedelta(minutes=15)

COLLAPSED: Final = gettext_noop("A newer message of the same journey has taken its place.")

_LEFT: Final = (
    Message.State.SENDING,
    Message.State.ACCEPTED,
    Message.State.UNKNOWN,
    Message.State.UNKNOWN_PARKED,
)


def is_overdue(row: Message, moment: datetime) -> bool:
    """Whether a message should have left long ago."""
    return row.due_at is not None and row.due_at <= moment - OVERDUE


def superseded(rows: Sequence[Message], moment: datetime) -> set[int]:
    """Ids of messages in whose place a newer one leaves.

    Two rules. In one run, a reminder that still waits when a later one is due is out of date. And
    in a catch-up a person gets one message of each journey, the newest, whatever it is about.

    Args:
        rows: Everything that waits for some people whose contacts are locked, and may leave.
        moment: Now. Two queries more where something is overdue.
    """
    gone = set()
    for same_run in _grouped(rows, lambda row: row.enrolment_id):
        newest = same_run[-1]
        gone |= {row.pk for row in same_run if newest.planned_at - row.planned_at >= OVERDUE}
    overdue = [row for row in rows if is_overdue(row, moment) and row.enrolment_id is not None]
    if not overdue:
        return gone
    people = {row.contact_id for row in overdue}
    own = [row for row in rows if row.contact_id in people and row.enrolment_id is not None]
    journeys = dict(
        Message.objects.filter(pk__in=[row.pk for row in own]).values_list(
            "pk", "enrolment__journey_id"
        )
    )
    late = {(row.contact_id, journeys[row.pk]) for row in overdue}
    for same in _grouped(own, lambda row: (row.contact_id, journeys[row.pk])):
        if (same[0].contact_id, journeys[same[0].pk]) in late:
            newest = max(same, key=lambda row: (row.due_at or moment, row.pk))
            gone |= {row.pk for row in same} - {newest.pk}
    return gone | _too_late(overdue, journeys)


def _grouped(rows: Iterable[Message], key: Callable[[Message], object]) -> Iterable[list[Message]]:
    groups: dict[object, list[Message]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.planned_at, row.pk)):
        group = key(row)
        if group is not None:
            groups[group].append(row)
    return groups.values()


def _too_late(overdue: Sequence[Message], journeys: dict[int, int]) -> set[int]:
    """Overdue messages whose journey has said something else since they were due."""
    since = min(row.due_at for row in overdue if row.due_at is not None)
    left = Message.objects.filter(
        Q(settled_at__gte=since) | Q(settled_at=None),
        contact_id__in={row.contact_id for row in overdue},
        enrolment__journey_id__in=set(journeys.values()),
        state__in=_LEFT,
    ).values_list("contact_id", "enrolment__journey_id", "enrolment_id", "pk", "settled_at")
    gone = set()
    for contact, journey, run, pk, settled in left:
        gone |= {
            row.pk
            for row in overdue
            if (row.contact_id, journeys[row.pk]) == (contact, journey)
            and (row.enrolment_id != run or pk > row.pk)
            and (settled is None or row.due_at is None or settled >= row.due_at)
        }
    return gone - {pk for *_rest, pk, _settled in left}
