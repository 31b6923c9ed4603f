"""The story of one message: what led to it, every state it went through, what providers said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from ..engine.models import Enrolment, StepRun
from ..events.models import Event
from ..events.types import event_types
from ..messages.models import Message, MessageEvent
from .permissions import may_view
from .sentences import Teller
from .states import explained, tone

#: Steps before the one that sent it, and reports about it, that are shown.
MOST_STEPS: Final = 60
MOST_REPORTS: Final = 100


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain, or one state."""

    title: str
    at: datetime | None = None
    text: str = ""
    url: str = ""
    tone: str = "neutral"
    until: datetime | None = None
    times: int = 1


def chain(message: Message, user: Any) -> list[Link]:
    """Return what led to a message: the event, the entry, the steps; as far as `user` may see."""
    found: list[Link] = []
    event = Event.objects.filter(pk=message.event_id or 0).first()
    if event is not None and may_view(user, Event):
        found.append(_event(event))
    if may_view(user, Enrolment):
        runs = Enrolment.objects.filter(pk=message.enrolment_id or 0)
        run = runs.select_related("journey", "version").first()
        if run is not None:
            found.append(_entry(run))
            found += _steps(run, message)
    return found


def _event(event: Event) -> Link:
    label = event_types.get(event.name).label if event.name in event_types else event.name
    return Link(
        _("“%(event)s” happened") % {"event": label},
        event.occurred_at,
        event.key,
        reverse("triggers_events:inspect", args=[event.pk]),
    )


def _entry(run: Enrolment) -> Link:
    return Link(
        _("It began a run of “%(journey)s”") % {"journey": run.journey},
        run.entered_at,
        _("version %(number)s") % {"number": run.version.number},
        reverse("triggers_enrolments:inspect", args=[run.pk]),
    )


def _steps(run: Enrolment, message: Message) -> Iterable[Link]:
    """The decisions up to the one that planned the message."""
    rows = StepRun.objects.filter(enrolment=run).select_related("version").order_by("-seq")
    seq = _seq(message)
    if seq is not None:
        rows = rows.filter(seq__lte=seq)
    teller = Teller()
    for step in reversed(rows[:MOST_STEPS]):
        yield Link(teller.step(step, run), step.at)


def _seq(message: Message) -> int | None:
    """The number of the decision that planned the message: its key names it."""
    parts = message.idempotency_key.split(":")
    return int(parts[1]) if len(parts) > 2 and parts[1].isdecimal() else None


def states(message: Message) -> list[Link]:
    """Return every state that a message went through, the oldest first."""
    state = Message.State
    found = [Link(str(state.PLANNED.label), message.planned_at, tone="info")]
    for entry in message.trail:
        known = entry.get("state") in state.values
        found.append(
            Link(
                str(state(entry["state"]).label) if known else str(entry.get("state")),
                _read(entry.get("at")),
                explained(str(entry.get("reason", ""))),
                tone=tone(str(entry.get("state"))),
                until=_read(entry.get("until")),
                times=int(entry.get("times", 1)),
            )
        )
    if message.settled_at is not None:
        last = Link(
            message.get_state_display(),
            message.settled_at,
            explained(message.reason),
            tone=tone(message.state),
        )
        found.append(last)
    elif message.state not in (state.PLANNED, state.DEFERRED, state.RETRY, state.UNKNOWN):
        found.append(Link(message.get_state_display(), tone=tone(message.state)))
    elif message.held_due_at is not None:
        found.append(Link(_("held"), text=explained(message.reason), tone="warning"))
    return found


def _read(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


#: What a report is: good news, bad news, or neither.
_TONES: Final = {
    MessageEvent.Kind.DELIVERED: "positive",
    MessageEvent.Kind.OPENED: "positive",
    MessageEvent.Kind.CLICKED: "positive",
    MessageEvent.Kind.DEFERRED: "warning",
    MessageEvent.Kind.BOUNCED: "critical",
    MessageEvent.Kind.REJECTED: "critical",
    MessageEvent.Kind.COMPLAINED: "critical",
    MessageEvent.Kind.UNSUBSCRIBED: "warning",
}


def reports(message: Message) -> list[Link]:
    """Return what providers reported of a message, in the order in which it happened."""
    rows = MessageEvent.objects.filter(message=message).order_by("at", "pk")[:MOST_REPORTS]
    return [
        Link(
            row.get_kind_display(),
            row.at,
            " · ".join(
                filter(None, [row.provider, row.detail, _("by a machine") if row.machine else ""])
            ),
            tone=_TONES.get(MessageEvent.Kind(row.kind), "neutral"),
        )
        for row in rows
    ]
