"""Carry out what steps changed on their way: facts, tags, score, events, variants; in sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from ..conf import TASK_ROUTE
from ..contacts.facts import change
from ..contacts.models import Contact
from ..core.bulk import update_rows
from ..core.queue import nudge
from ..events.models import Event
from ..events.rows import EventRow
from ..events.types import CONTACT_CHANGED, event_types
from ..experiments import assignments
from ..experiments.models import Assignment
from ..journeys.steps.decisions import Assign, ChangeContact, Emit
from .advance import Done, Progress
from .models import Conversion, Enrolment
from .rows import RunRow

#: The source of events that a step made; their `dedupe_key` names the run.
SOURCE: Final = "journey"


def carry_out(
    progress: Sequence[Progress],
    rows: Mapping[int, RunRow],
    moment: datetime,
) -> None:
    """Write the effects of a batch, whose contacts are locked; five statements at most.

    Args:
        progress: What became of each run.
        rows: The runs by id.
        moment: The batch's reading of the clock.
    """
    contacts = _to_change(progress, rows)
    changed: dict[int, Contact] = {}
    events: list[Event] = []
    variants: list[Assignment] = []
    conversions: list[Conversion] = []
    for one in progress:
        row = rows[one.enrolment_id]
        if one.state == Enrolment.State.CONVERTED:  # by a step; the router writes those of goals
            conversions.append(Conversion(enrolment_id=row.pk, event_id=row.event_id, at=moment))
        for number, done in enumerate(one.effects):
            match done.effect:
                case ChangeContact() as wanted:
                    contact = contacts[row.contact_id]
                    if change(
                        contact,
                        facts=wanted.facts,
                        add_tags=wanted.add_tags,
                        remove_tags=wanted.remove_tags,
                        score=wanted.score,
                        moment=moment,
                    ):
                        changed[contact.pk] = contact
                        events.append(_event(row, done, number, Emit(CONTACT_CHANGED), moment))
                case Emit() as wanted_event:
                    events.append(_event(row, done, number, wanted_event, moment))
                case Assign(experiment=experiment, variant=variant):
                    variants.append(
                        Assignment(
                            site_id=row.site_id,
                            contact_id=row.contact_id,
                            experiment=experiment,
                            variant=variant,
                            at=moment,
                        )
                    )
    update_rows(Contact, list(changed.values()), ["facts", "facts_at", "tags", "score"])
    if conversions:
        Conversion.objects.bulk_create(conversions)
    if variants:
        assignments.keep(variants)
    if events:
        events.sort(key=lambda event: event.dedupe_key)
        Event.objects.bulk_create(events, ignore_conflicts=True)
        nudge(TASK_ROUTE)


def _to_change(progress: Iterable[Progress], rows: Mapping[int, RunRow]) -> dict[int, Contact]:
    """The contacts that a step changes; one query, or none."""
    ids = {
        rows[one.enrolment_id].contact_id
        for one in progress
        for done in one.effects
        if isinstance(done.effect, ChangeContact)
    }
    return Contact.objects.in_bulk(ids) if ids else {}


def made_by(event: Event | EventRow) -> int:
    """The run whose step made an event, or 0."""
    if event.source != SOURCE:
        return 0
    kind, _colon, rest = event.dedupe_key.partition(":")
    number = rest.partition(":")[0]
    return int(number) if kind == "run" and number.isdecimal() else 0


def _event(row: RunRow, done: Done, number: int, emit: Emit, moment: datetime) -> Event:
    kind = event_types.get(emit.event)
    payload = dict(emit.payload)
    return Event(
        site_id=row.site_id,
        name=kind.name,
        source=SOURCE,
        dedupe_key=f"run:{row.pk}:{done.seq}:{number}",
        contact_id=row.contact_id,
        resolved=True,
        who={},
        key=emit.key,
        refs=sorted({*kind.refs(emit.key, payload), *emit.refs}),
        payload=payload,
        occurred_at=moment,
        recorded_at=moment,
        depth=row.depth + 1,
    )
