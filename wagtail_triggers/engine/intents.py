"""Turn what steps want to say into rows of the message ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext_noop

from ..events.models import Event
from ..journeys.models import Journey
from ..messages import ledger
from ..messages.models import Message, MessageClass, TemplateVersion
from ..messages.policies.collapse import OVERDUE
from ..messages.versions import Versions
from .advance import Intent, Progress, StepRecord
from .models import Enrolment
from .rows import PersonRow, RunRow

NO_TEMPLATE = gettext_noop("The template of this step is not published. Publish it and try again.")


@dataclass(frozen=True, slots=True)
class Planned:
    """How many messages were planned, by class."""

    marketing: int = 0
    transactional: int = 0


def plan_messages(
    progress: Sequence[Progress],
    rows: Mapping[int, RunRow],
    people: Mapping[int, PersonRow],
    moment: datetime,
) -> tuple[list[Progress], Planned]:
    """Insert a message for every intent; a fixed number of queries, whatever their number.

    A run whose template is not published is parked at that step: nothing is skipped in silence.

    Returns:
        The progress, with such runs held back, and what was planned.
    """
    intents = [intent for one in progress for intent in one.intents]
    if not intents:
        return list(progress), Planned()
    versions = Versions(
        (intent.template for intent in intents),
        since=min(rows[intent.enrolment_id].entered_at for intent in intents),
    )
    events = {
        event.pk: event
        for event in Event.objects.filter(
            pk__in={rows[intent.enrolment_id].event_id for intent in intents}
        ).only("name", "occurred_at")
    }
    priorities = dict(
        Journey.objects.filter(
            pk__in={rows[intent.enrolment_id].journey_id for intent in intents}
        ).values_list("pk", "priority")
    )
    held: list[Progress] = []
    messages: list[Message] = []
    for one in progress:
        row = rows[one.enrolment_id]
        language = people[row.contact_id].language
        for intent in one.intents:
            version = versions.find(intent.template, language, row.entered_at)
            if version is None:
                one = held_at(one, intent, moment)
                break
            message = message_of(intent, row, version, events.get(row.event_id), moment)
            message.journey_version_id = row.version_id
            message.priority = priorities[row.journey_id]
            messages.append(message)
        held.append(one)
    ledger.insert(messages)
    marketing = sum(message.message_class == MessageClass.MARKETING for message in messages)
    return held, Planned(marketing, len(messages) - marketing)


def message_of(
    intent: Intent,
    row: Enrolment | RunRow,
    version: TemplateVersion,
    event: Event | None,
    moment: datetime,
) -> Message:
    """The message that an intent becomes; not saved, and without its journey's priority."""
    kind, _colon, about = row.key.partition(":")
    name = event.name if event is not None else ""
    worth = intent.expires_after or ledger.expiry(name, version.message_class)
    due = _due(row, event, moment)
    return Message(
        site_id=row.site_id,
        contact_id=row.contact_id,
        enrolment_id=row.pk,
        node=intent.node,
        event_id=row.event_id,
        template_version=version,
        channel=intent.channel,
        message_class=version.message_class,
        topic_id=version.topic_id,
        idempotency_key=f"{row.pk}:{intent.seq}:{intent.channel}:0",
        subject_kind=kind,
        subject_id=about,
        due_at=due,
        expires_at=due + worth,
        depth=row.depth,
        planned_at=moment,
    )


def _due(row: Enrolment | RunRow, event: Event | None, moment: datetime) -> datetime:
    """When the message should have left: long ago, if nobody came to move the run.

    Otherwise what waited through an outage would be fresh afterwards, however stale its news.
    """
    times = [row.due_since or row.wake_at or moment]
    if row.seq == 0 and event is not None:  # it has only begun: its event may have waited as well
        times.append(event.occurred_at)
    since = min(times)
    return since if since <= moment - OVERDUE else moment


def held_at(one: Progress, intent: Intent, moment: datetime) -> Progress:
    """The run as it stood before this intent, parked at its step."""
    at = next(record for record in one.steps if record.seq == intent.seq)
    before = tuple(record for record in one.steps if record.seq < intent.seq)
    park = StepRecord(intent.seq, at.node, at.kind, "park", "", {"reason": NO_TEMPLATE})
    return replace(
        one,
        node=at.node,
        seq=intent.seq,
        wake_at=None,
        arrived_at=moment,
        state="parked",
        reason=NO_TEMPLATE,
        steps=(*before, park),
        waiting=False,
        intents=tuple(other for other in one.intents if other.seq < intent.seq),
        jobs=tuple(job for job in one.jobs if job.seq < intent.seq),
        effects=tuple(done for done in one.effects if done.seq < intent.seq),
    )
