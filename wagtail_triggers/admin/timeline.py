"""Everything that happened to a person, newest first, on pages of a fixed size.

Six kinds of row are merged. Each page costs one query per kind, however long the history is: a
page begins behind the last entry of the one before, not at an offset.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from ..contacts.models import Contact
from ..engine.models import Enrolment, Refusal, StepRun
from ..engine.routing import FILTERED
from ..events.models import Event
from ..events.types import event_types
from ..messages.models import Message
from .permissions import may_view
from .sentences import Teller
from .states import explained, tone

PAGE_SIZE = 40
_SALT = "wagtail_triggers.timeline"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `rank` and `pk` part what happened at one moment."""

    at: datetime
    rank: int
    pk: int
    kind: str
    icon: str
    title: str
    text: str = ""
    url: str = ""
    state: str = ""
    tone: str = "neutral"

    @property
    def place(self) -> tuple[datetime, int, int]:
        """Where it stands in the order."""
        return self.at, self.rank, self.pk


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some entries, and where the next page begins ("" on the last)."""

    entries: tuple[Entry, ...]
    older: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    """One kind of row: `moment` is what it is sorted by, `tell` makes the entry of a row."""

    rank: int
    rows: QuerySet[Any]
    moment: str
    tell: Callable[[Any, int], Entry]

    def page(self, before: tuple[datetime, int, int] | None, size: int) -> Iterator[Entry]:
        rows = self.rows.order_by(f"-{self.moment}", "-pk")
        if before is not None:
            rows = rows.filter(self._behind(*before))
        return (self.tell(row, self.rank) for row in rows[:size])

    def _behind(self, at: datetime, rank: int, pk: int) -> Q:
        if self.rank < rank:
            return Q(**{f"{self.moment}__lte": at})
        earlier = Q(**{f"{self.moment}__lt": at})
        return earlier if self.rank > rank else earlier | Q(**{self.moment: at, "pk__lt": pk})


class Timeline:
    """The timeline of one contact, as far as `user` may see it."""

    def __init__(self, contact: Contact, user: Any) -> None:
        self.contact = contact
        self._teller = Teller()
        self._sees = {model: may_view(user, model) for model in (Event, Enrolment, Message)}

    def page(self, before: str = "", size: int = PAGE_SIZE) -> TimelinePage:
        """Return the page that begins behind the mark `before`; the newest if there is none."""
        place = _read_mark(before)
        found = [source.page(place, size + 1) for source in self._sources()]
        merged = heapq.merge(*found, key=lambda entry: entry.place, reverse=True)
        entries = tuple(islice(merged, size + 1))
        if len(entries) <= size:
            return TimelinePage(entries)
        return TimelinePage(entries[:size], _mark(entries[size - 1].place))

    def _sources(self) -> Iterable[_Source]:
        """The rank decides at one moment: what follows from something stands above it."""
        if self._sees[Event]:
            events = Event.objects.filter(contact=self.contact)
            yield _Source(0, events, "occurred_at", self._event)
        if self._sees[Enrolment]:
            runs = Enrolment.objects.filter(contact=self.contact).select_related("journey")
            # What a condition of some start kept out would stand beside every event; "why?" tells.
            refusals = Refusal.objects.filter(contact=self.contact).exclude(reason=FILTERED)
            refusals = refusals.select_related("journey")
            yield _Source(1, refusals, "at", self._refused)
            yield _Source(2, runs, "entered_at", self._entered)
            # Leaving is told by the run itself, also where no step decided it.
            steps = StepRun.objects.filter(enrolment__contact=self.contact)
            steps = steps.exclude(decision="exit").select_related("version", "enrolment__journey")
            yield _Source(3, steps, "at", self._step)
        if self._sees[Message]:
            messages = Message.objects.filter(contact=self.contact)
            messages = messages.select_related("template_version__template").annotate(
                moment=Coalesce("settled_at", "planned_at")
            )
            yield _Source(4, messages.defer("context"), "moment", self._message)
        if self._sees[Enrolment]:
            yield _Source(5, runs.filter(ended_at__isnull=False), "ended_at", self._ended)

    def _event(self, event: Event, rank: int) -> Entry:
        known = event_types.all().get(event.name)
        return Entry(
            at=event.occurred_at,
            rank=rank,
            pk=event.pk,
            kind=_("Event"),
            icon="triggers-event",
            title=str(known.label) if known else event.name,
            text=event.problem or event.key,
            url=_url(event, "triggers_events"),
            state=_("set aside") if event.problem else "",
            tone="critical" if event.problem else "neutral",
        )

    def _refused(self, refusal: Refusal, rank: int) -> Entry:
        return Entry(
            at=refusal.at,
            rank=rank,
            pk=refusal.pk,
            kind=_("Journey"),
            icon="triggers-journey",
            title=_("Did not enter “%(journey)s”") % {"journey": refusal.journey},
            text=explained(refusal.reason),
        )

    def _entered(self, run: Enrolment, rank: int) -> Entry:
        return Entry(
            at=run.entered_at,
            rank=rank,
            pk=run.pk,
            kind=_("Journey"),
            icon="triggers-journey",
            title=_("Entered “%(journey)s”") % {"journey": run.journey},
            text=run.key,
            url=_url(run, "triggers_enrolments"),
        )

    def _ended(self, run: Enrolment, rank: int) -> Entry:
        return Entry(
            at=run.ended_at or run.entered_at,
            rank=rank,
            pk=run.pk,
            kind=_("Journey"),
            icon="triggers-journey",
            title=_("Left “%(journey)s”") % {"journey": run.journey},
            text=explained(run.reason),
            url=_url(run, "triggers_enrolments"),
            state=run.get_state_display(),
            tone=tone(run.state),
        )

    def _step(self, step: StepRun, rank: int) -> Entry:
        return Entry(
            at=step.at,
            rank=rank,
            pk=step.pk,
            kind=_("Step"),
            icon="triggers-step",
            title=self._teller.step(step, step.enrolment),
            text=str(step.enrolment.journey),
            url=_url(step.enrolment, "triggers_enrolments"),
            state=_("parked") if step.decision == "park" else "",
            tone="critical" if step.decision == "park" else "neutral",
        )

    def _message(self, message: Any, rank: int) -> Entry:
        return Entry(
            at=message.moment,
            rank=rank,
            pk=message.pk,
            kind=_("Message"),
            icon="triggers-message",
            title=message.subject or str(message.template_version.template),
            text=explained(message.reason),
            url=_url(message, "triggers_messages"),
            state=message.get_state_display(),
            tone=tone(message.state),
        )


def _url(row: Model, namespace: str) -> str:
    return reverse(f"{namespace}:inspect", args=[row.pk])


def _mark(place: tuple[datetime, int, int]) -> str:
    at, rank, pk = place
    return signing.dumps([at.isoformat(), rank, pk], salt=_SALT)


def _read_mark(mark: str) -> tuple[datetime, int, int] | None:
    """Read what `_mark` wrote; what somebody made up stands for the newest page."""
    if not mark:
        return None
    try:
        at, rank, pk = signing.loads(mark, salt=_SALT)
    except signing.BadSignature:
        return None
    return datetime.fromisoformat(at), rank, pk
