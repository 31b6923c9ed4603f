"""What can be read: pages of rows in the order of their keys, a constant number of queries each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from ..analytics.rollups import numbers
from ..contacts.models import Identity
from ..core import clock
from ..engine.models import Enrolment
from ..journeys.models import Journey
from ..messages.models import Message

PAGE = 100

M = TypeVar("M", bound=Model)


def journeys(site: int, after: int) -> dict[str, Any]:
    """A page of journeys."""
    rows = Journey.objects.filter(site_id=site).select_related("live_version")
    return _page(rows, after, shown_journey)


def journey(site: int, uid: str) -> Journey | None:
    """One journey, by its uid."""
    rows = Journey.objects.filter(site_id=site, uid=uid).select_related("live_version")
    found: Journey | None = rows.first()
    return found


def statistics(row: Journey, days: int) -> dict[str, Any]:
    """What a journey did in the last `days` days."""
    found = numbers([row.pk], clock.now(), days=days)[row.pk]
    return {
        "uid": str(row.uid),
        "active": found.active,
        "entered": found.entered,
        "ended": found.ended,
        "converted": found.converted,
        "sent": found.sent,
        "sent_by_day": found.days,
    }


def runs(site: int, after: int, *, uid: str = "", contact: str = "") -> dict[str, Any]:
    """A page of runs, of a journey or of a person."""
    rows = Enrolment.objects.filter(site_id=site).select_related("journey", "version")
    if uid:
        rows = rows.filter(journey__uid=uid)
    if contact:
        rows = rows.filter(contact_id__in=people(site, contact))
    return _page(rows.select_related("contact"), after, _run)


def messages(
    site: int, after: int, *, run: int | None = None, contact: str = "", state: str = ""
) -> dict[str, Any]:
    """A page of messages, of a run or of a person."""
    rows = Message.objects.filter(site_id=site).select_related("contact")
    if run is not None:
        rows = rows.filter(enrolment_id=run)
    if contact:
        rows = rows.filter(contact_id__in=people(site, contact))
    if state:
        rows = rows.filter(state=state)
    return _page(rows, after, _message)


def people(site: int, contact: str) -> QuerySet[Any]:
    """Contacts by an identity (`email:ada@example.org`), as a subquery."""
    kind, _, value = contact.partition(":")
    rows = Identity.objects.filter(site_id=site, kind=kind, value=value)
    return rows.values("contact_id")


def _page(rows: QuerySet[M], after: int, shown: Callable[[M], dict[str, Any]]) -> dict[str, Any]:
    items = list(rows.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
    more = str(items[PAGE - 1].pk) if len(items) > PAGE else None
    return {"items": [shown(one) for one in items[:PAGE]], "next": more}


def shown_journey(row: Journey) -> dict[str, Any]:
    """A journey as the API tells it."""
    return {
        "uid": str(row.uid),
        "name": row.name,
        "description": row.description,
        "state": row.state,
        "live": row.live,
        "version": row.live_version.number if row.live_version else None,
        "priority": row.priority,
    }


def _run(row: Enrolment) -> dict[str, Any]:
    return {
        "id": row.pk,
        "journey": str(row.journey.uid),
        "version": row.version.number,
        "contact": str(row.contact.public_id),
        "key": row.key,
        "state": row.state,
        "reason": row.reason,
        "node": row.node,
        "entered_at": row.entered_at,
        "wake_at": row.wake_at,
        "ended_at": row.ended_at,
    }


def _message(row: Message) -> dict[str, Any]:
    return {
        "id": str(row.public_id),
        "contact": str(row.contact.public_id),
        "run": row.enrolment_id,
        "node": row.node,
        "channel": row.channel,
        "kind": row.message_class,
        "state": row.state,
        "reason": row.reason,
        "subject": row.subject,
        "planned_at": row.planned_at,
        "settled_at": row.settled_at,
    }
