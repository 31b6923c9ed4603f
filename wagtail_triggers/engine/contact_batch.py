"""The events of some locked contacts: load what they need, decide in memory, write in sets."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError
from django.db.models import F
from django.utils.translation import gettext_noop

from ..conf import TASK_RUN, settings
from ..consent.subscriptions import Change, subscribe, topic_of, withdraw
from ..contacts.facts import learn
from ..contacts.models import Contact
from ..core.any_of import AnyOf
from ..core.bulk import insert_columns, update_rows
from ..core.queue import nudge
from ..events.models import Event
from ..events.projections import project
from ..events.rows import EventRow
from ..exceptions import UnknownTopic
from ..journeys.models import Journey
from ..journeys.steps.base import EventView
from ..messages import ledger
from ..segments.membership import memberships
from . import jobs, pulse
from .effects import made_by
from .history import facts, site_zones, view, views, views_by_contact, zone
from .live import LiveJourney, live_journeys, plans_of, shared
from .models import Conversion, Enrolment, Refusal
from .past_runs import past_runs
from .routing import ActiveRun, Person, Routed, by_contact, route_event

logger = logging.getLogger("wagtail_triggers.router")

NOT_TAKEN_IN: Final = gettext_noop(
    "No running journey with this uid takes the person in. Is it published, and does it have an "
    "entry for being started from elsewhere?"
)

#: Sources of events that the person did not make: they are no sign of life.
OUR_OWN: Final = frozenset({"engine", "journey", "provider"})


@dataclass
class ContactBatch:
    """The events of some locked contacts, from loading to writing."""

    contacts: dict[int, Contact]
    events: list[EventRow]
    moment: datetime
    results: dict[int, Routed] = field(default_factory=lambda: defaultdict(Routed))

    def route(self) -> None:
        """Decide everything, in memory."""
        for event in self.events:
            if event.source not in OUR_OWN:
                learn(self._contact(event), event.who, event.occurred_at)
        project(self.events, self.contacts)
        journeys = self._journeys()
        people = self._people(journeys)
        doors = _by_event(journeys)
        stuck: set[int] = set()
        for event in self.events:
            pk = self._contact(event).pk
            if pk in stuck:
                continue  # in order: what came after a failed event waits for it
            try:
                self._consent(event)
                route_event(
                    people[pk],
                    view(event),
                    key=event.key,
                    depth=event.depth,
                    journeys=doors.get((event.site_id, event.name), ()),
                    moment=self.moment,
                    routed=self.results[pk],
                    made_by=made_by(event),
                )
                if event.pk in self.results[pk].unheard:
                    event.problem = NOT_TAKEN_IN
                event.routed_at = self.moment
            except DatabaseError:
                raise
            except Exception as error:  # a filter of a host's own event type may raise anything
                self._fail(event, error)
                if event.routed_at is None:
                    stuck.add(pk)

    def _contact(self, event: EventRow) -> Contact:
        assert event.contact_id is not None  # noqa: S101 - the query asked for it
        return self.contacts[event.contact_id]

    def _fail(self, event: EventRow, error: Exception) -> None:
        logger.warning("Event %d (%s) cannot be routed", event.pk, event.name, exc_info=error)
        event.tries += 1
        event.problem = f"{type(error).__name__}: {error}"[:2_000]
        if event.tries >= settings.MAX_TRIES:
            event.routed_at = self.moment

    def _consent(self, event: EventRow) -> None:
        if event.name not in ("subscribed", "unsubscribed") or not event.who.get("email"):
            return
        try:
            topic = topic_of(event.site_id, event.payload.get("topic") or "news")
        except UnknownTopic as error:
            event.problem = str(error)
            return
        change = Change(
            event.site_id,
            "email",
            event.who["email"],
            event.payload.get("source") or event.source,
            topic,
        )
        answer = subscribe if event.name == "subscribed" else withdraw
        answer(change, moment=event.occurred_at)

    def _journeys(self) -> dict[int, list[LiveJourney]]:
        """Journeys that one of these events may start, locked FOR SHARE, by site."""
        names = {event.name for event in self.events}
        listening = [
            journey
            for journey in live_journeys(event.site_id for event in self.events)
            if journey.plan.entry_events & names
        ]
        found: dict[int, list[LiveJourney]] = defaultdict(list)
        for journey in shared(listening):
            found[journey.site_id].append(journey)
        return found

    def _people(self, journeys: dict[int, list[LiveJourney]]) -> dict[int, Person]:
        zones = site_zones(contact.site_id for contact in self.contacts.values())
        active = self._active()
        past = past_runs(self.contacts, journeys.values(), self.moment)
        stored = self._stored(journeys)
        asked = {name for site in journeys.values() for one in site for name in one.plan.segments}
        asked |= {name for runs in active.values() for run in runs for name in run.plan.segments}
        member = memberships(set(self.contacts), asked, self.moment)
        return {
            pk: Person(
                facts=facts(contact),
                zone=zone(contact, zones),
                active=active.get(pk, []),
                past=past.get(pk, {}),
                stored=stored.get(pk, ()),
                segments=member.get(pk, frozenset()),
            )
            for pk, contact in self.contacts.items()
        }

    def _active(self) -> dict[int, list[ActiveRun]]:
        rows = list(
            Enrolment.objects.filter(
                AnyOf("contact_id", self.contacts), state__in=Enrolment.ALIVE
            ).annotate(journey_uid=F("journey__uid"))
        )
        plans = plans_of(row.version_id for row in rows) if rows else {}
        began = views(row.event_id for row in rows) if rows else {}
        found: dict[int, list[ActiveRun]] = defaultdict(list)
        for row in rows:
            if row.version_id not in plans:
                continue  # its next step parks it, with the reason
            first = began.get(row.event_id) or EventView(row.event_id, "", {}, row.entered_at)
            run = ActiveRun(
                row.pk,
                row.journey_id,
                row.key,
                frozenset(row.refs),
                plans[row.version_id],
                first,
                journey_uid=str(row.journey_uid),
                node=row.node,
                waiting=row.waiting and row.state == Enrolment.State.ACTIVE,
            )
            found[row.contact_id].append(run)
        return found

    def _stored(self, journeys: dict[int, list[LiveJourney]]) -> dict[int, list[EventView]]:
        """Events, routed or not, that would end a run which begins now."""
        goals = {
            name
            for site in journeys.values()
            for journey in site
            for name in journey.plan.goal_events
        }
        if not goals:
            return {}
        rows = Event.objects.filter(AnyOf("contact_id", self.contacts), name__in=goals)
        return by_contact(views_by_contact(rows.order_by("pk")))

    def save(self) -> None:
        """Write facts, ends, beginnings and the events themselves."""
        update_rows(
            Contact,
            list(self.contacts.values()),
            ["first_name", "last_name", "email", "phone", "language", "time_zone", "birthday",
             "last_seen_at", "last_order_at", "orders_count", "spent", "currency", "facts",
             "facts_at"],
        )  # fmt: skip
        self._save_finishes()
        self._save_begins()
        self._save_wakes()
        self._save_refusals()
        update_rows(Event, self.events, ["routed_at", "tries", "problem"])
        pulse.of_events(self.events, self.moment)

    def _save_refusals(self) -> None:
        """An event may be refused by dozens of journeys: by far the most that is written here."""
        found = [(pk, one) for pk, routed in self.results.items() for one in routed.refusals]
        columns: dict[str, list[Any]] = {
            "journey": [one.journey_id for _pk, one in found],
            "contact": [pk for pk, _one in found],
            "event": [one.event_id for _pk, one in found],
            "reason": [one.reason for _pk, one in found],
            "version": [one.version_id for _pk, one in found],
            "detail": [one.detail for _pk, one in found],
            "at": [self.moment] * len(found),
        }
        insert_columns(Refusal, columns)

    def _save_finishes(self) -> None:
        finishes = {
            finish.enrolment_id: finish
            for routed in self.results.values()
            for finish in routed.finishes
        }
        if not finishes:
            return
        rows = list(Enrolment.objects.filter(pk__in=finishes))
        conversions = []
        for row in rows:
            finish = finishes[row.pk]
            row.state = Enrolment.State.CONVERTED if finish.converts else Enrolment.State.EXITED
            row.reason = (
                f"{finish.event.name} ({finish.node})" if finish.node else finish.event.name
            )
            row.active_slot = row.wake_at = row.held_wake_at = None
            row.ended_at = self.moment
            if finish.converts:
                conversions.append(_conversion(row, finish.event, self.moment))
        update_rows(
            Enrolment,
            rows,
            ["state", "reason", "active_slot", "wake_at", "held_wake_at", "ended_at"],
        )
        Conversion.objects.bulk_create(conversions)
        by_reason: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            by_reason[row.reason].append(row.pk)
        for reason, ids in by_reason.items():
            ledger.cancel(ids, reason, self.moment)
            jobs.cancel(ids, reason, self.moment)

    def _save_begins(self) -> None:
        rows = [
            Enrolment(
                site_id=begin.journey.site_id,
                journey_id=begin.journey.journey_id,
                version_id=begin.journey.version_id,
                contact_id=pk,
                key=begin.key,
                event_id=begin.event.id,
                refs=sorted(begin.event.refs),
                node=begin.entry.first,
                entered_at=self.moment,
                arrived_at=self.moment,
                wake_at=self.moment,
                depth=begin.depth,
            )
            for pk, routed in self.results.items()
            for begin in routed.begins
        ]
        rows.sort(key=lambda row: (row.journey_id, row.contact_id, row.key))
        Enrolment.objects.bulk_create(rows)
        if rows:
            nudge(TASK_RUN)

    def _save_wakes(self) -> None:
        """Let runs look again; one that a pause holds looks again when it is let go."""
        depths = {
            wake.enrolment_id: wake.depth
            for routed in self.results.values()
            for wake in sorted(routed.wakes, key=lambda wake: wake.depth)
        }
        if not depths:
            return
        rows = list(
            Enrolment.objects.filter(pk__in=depths, state=Enrolment.State.ACTIVE).annotate(
                journey_state=F("journey__state")
            )
        )
        for row in rows:
            row.depth = max(row.depth, depths[row.pk])
            if row.journey_state == Journey.State.PAUSED:
                row.held_wake_at = row.due_since = self.moment
            else:
                row.wake_at = self.moment
        update_rows(Enrolment, rows, ["wake_at", "held_wake_at", "due_since", "depth"])
        if rows:
            nudge(TASK_RUN)


def _by_event(
    journeys: Mapping[int, Sequence[LiveJourney]],
) -> dict[tuple[int, str], list[LiveJourney]]:
    """Journeys by the site and the event that they listen to, in their order."""
    found: dict[tuple[int, str], list[LiveJourney]] = defaultdict(list)
    for site, rows in journeys.items():
        for journey in rows:
            for name in journey.plan.entry_events:
                found[site, name].append(journey)
    return found


def _conversion(row: Enrolment, event: EventView, moment: datetime) -> Conversion:
    total = event.payload.get("total") or {}
    return Conversion(
        enrolment=row,
        event_id=event.id,
        amount=total.get("amount"),
        currency=total.get("currency") or "",
        at=moment,
    )
