"""What a rehearsal knows: recorded events and people, loaded in sets; nothing is locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..conf import settings
from ..consent.addresses import canonical
from ..consent.caps import Use, longest_window
from ..consent.models import SendLedger, Topic
from ..contacts.models import Contact
from ..events.models import Event, Order
from ..events.projections import CART_EVENTS, ORDER_EVENTS
from ..events.types import JOURNEY_EXIT_REQUESTED
from ..exceptions import ConfigurationError
from ..experiments.assignments import held
from ..journeys.reentry import PastRuns
from ..journeys.steps.base import ANY_EVENT, EventView
from ..messages.channels.base import Channel, get_channel
from ..messages.models import MessageClass, TemplateVersion
from ..messages.policies import slots
from ..messages.policies.digest import Digests
from ..messages.policies.rules import rules_of
from ..messages.versions import Versions
from ..segments.membership import memberships
from .effects import made_by
from .history import facts, site_zones, view, zone
from .live import LiveJourney
from .models import Enrolment
from .rehearsal_consent import Consents

#: What was recorded so much later than it happened was imported: it counts from when it happened.
IMPORTED: Final = timedelta(days=2)


def moment_of(event: Event) -> datetime:
    """When the engine would have taken this event up."""
    if event.recorded_at - event.occurred_at > IMPORTED:
        return event.occurred_at
    return event.recorded_at


@dataclass(slots=True)
class Known:
    """One person, with what had happened and what was known."""

    contact: Contact
    zone: ZoneInfo
    #: In the order in which the engine would have taken them up.
    events: list[Event] = field(default_factory=list)
    #: Goals from before the rehearsal begins.
    before: list[EventView] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    past: PastRuns = field(default_factory=PastRuns)
    #: Runs from before: (begin, end or None, key, refs, id).
    alive: list[Enrolment] = field(default_factory=list)
    segments: frozenset[str] = frozenset()
    variants: dict[str, str] = field(default_factory=dict)

    def order_facts(self, moment: datetime) -> dict[str, Any]:
        """The facts that follow from orders, as they were at `moment`."""
        by_then = [one for one in self.orders if one.placed_at and one.placed_at <= moment]
        if not by_then:
            return {"orders_count": 0, "spent": Decimal(0), "last_order_at": None}
        last = by_then[-1]
        same = [one.total or Decimal(0) for one in by_then if one.currency == last.currency]
        return {
            "orders_count": len(by_then),
            "spent": sum(same, Decimal(0)),
            "currency": last.currency,
            "last_order_at": last.placed_at,
        }

    def facts(self, moment: datetime) -> dict[str, Any]:
        """What conditions may know: orders as they were then, all else as it is today."""
        return {**facts(self.contact), **self.order_facts(moment)}


class World:
    """The site around a rehearsal: rules, templates, channels, and its people in sets.

    Args:
        journey: What is rehearsed.
        since: When it begins.
        until: When it ends.
        floor: No event of the rehearsal has a lower id.
    """

    def __init__(
        self, journey: LiveJourney, since: datetime, until: datetime, floor: int = 0
    ) -> None:
        self.journey, self.since, self.until, self.floor = journey, since, until, floor
        self.rules = rules_of({journey.site_id})[journey.site_id]
        self.digests = Digests([self.rules.digest] if self.rules.digest else [])
        self.topics = {row.pk: row for row in Topic.objects.filter(site_id=journey.site_id)}
        self._zones = site_zones([journey.site_id])
        self._versions: dict[str, Versions] = {}
        self._channels: dict[str, Channel | None] = {}
        plan = journey.plan
        wakes = frozenset().union(*(step.wakes_on() for step in plan.steps.values()))
        names = plan.entry_events | plan.goal_events | plan.history_events | wakes
        self._hears_all = ANY_EVENT in names
        self._names = {*names, *CART_EVENTS, *ORDER_EVENTS, JOURNEY_EXIT_REQUESTED}
        self.consents = Consents(journey.site_id, ())

    def version(self, key: str, language: str) -> TemplateVersion | None:
        """The frozen template with this key for this language."""
        if key not in self._versions:
            self._versions[key] = Versions([key])
        return self._versions[key].find(key, language)

    def address(self, channel: str, contact: Contact, kind: str, event: Event | None) -> str:
        """Where a message would have gone; a receipt goes to the address of its own order."""
        if channel not in self._channels:
            self._channels[channel] = _channel(channel)
        way = self._channels[channel]
        found = way.address_of(contact) if way is not None else ""
        if channel == "email" and kind == MessageClass.TRANSACTIONAL and event is not None:
            found = event.who.get("email") or found
        return canonical(channel, found)

    def people(self, contact_ids: Sequence[int]) -> list[Known]:
        """Load these people in a fixed number of queries, in the order of their ids given."""
        contacts = Contact.objects.in_bulk(list(contact_ids))
        found = {
            pk: Known(contacts[pk], zone(contacts[pk], self._zones))
            for pk in contact_ids
            if pk in contacts
        }
        self._load_events(found)
        self._load_past(found)
        for order in Order.objects.filter(contact_id__in=found, placed_at__isnull=False).exclude(
            status="cancelled"
        ).order_by("placed_at"):  # fmt: skip
            found[order.contact_id].orders.append(order)
        self._load_uses(found)
        self._load_consents(found)
        plan = self.journey.plan
        for pk, names in memberships(set(found), plan.segments, self.until).items():
            found[pk].segments = names
        keys = [plan.step(one).experiment(self.journey.journey_id, one)
                for one in plan.experiment_nodes]  # fmt: skip
        for pk, variants in held(found, [key for key in keys if key]).items():
            found[pk].variants = variants
        return list(found.values())

    def _load_events(self, found: dict[int, Known]) -> None:
        rows = Event.objects.filter(contact_id__in=found)
        if not self._hears_all:
            rows = rows.filter(name__in=self._names)
        events = list(rows.filter(pk__gte=self.floor).order_by("pk"))
        own = self._own_runs(made_by(event) for event in events)
        for event in events:
            assert event.contact_id is not None  # noqa: S101 - the query asked for it
            person, at = found[event.contact_id], moment_of(event)
            if made_by(event) in own or at > self.until:
                continue  # what the journey itself let happen, it lets happen again
            if at >= self.since:
                person.events.append(event)
            else:
                person.before.append(view(event))
        goals = rows.filter(pk__lt=self.floor, name__in=self.journey.plan.goal_events)
        for event in goals.order_by("pk"):
            if event.contact_id is not None:
                found[event.contact_id].before.append(view(event))
        for person in found.values():
            person.events.sort(key=lambda event: (moment_of(event), event.pk))

    def _own_runs(self, ids: Iterable[int]) -> set[int]:
        made = {pk for pk in ids if pk}
        if not made:
            return set()
        rows = Enrolment.objects.filter(pk__in=made, journey_id=self.journey.journey_id)
        return set(rows.values_list("pk", flat=True))

    def _load_past(self, found: dict[int, Known]) -> None:
        rows = Enrolment.objects.filter(
            journey_id=self.journey.journey_id, contact_id__in=found, entered_at__lt=self.since
        ).order_by("entered_at")
        entered: dict[int, list[datetime]] = defaultdict(list)
        for row in rows:
            entered[row.contact_id].append(row.entered_at)
            if row.ended_at is None or row.ended_at > self.since:
                found[row.contact_id].alive.append(row)
        for pk, times in entered.items():
            found[pk].past = PastRuns(len(times), times[-1], recent=tuple(times))

    def _load_uses(self, found: dict[int, Known]) -> None:
        """What other journeys have sent: it counts to the caps."""
        rows = (
            SendLedger.objects.filter(
                contact_id__in=found, at__gt=self.since - longest_window(self.rules.caps)
            )
            .exclude(message__journey_version__journey_id=self.journey.journey_id)
            .exclude(message__state__in=slots.FREE)
        )
        for pk, channel, at in rows.values_list("contact_id", "channel", "at"):
            found[pk].uses.append(Use(channel, at))

    def _load_consents(self, found: dict[int, Known]) -> None:
        pairs = {
            (name, self.address(name, person.contact, MessageClass.MARKETING, None))
            for name in settings.CHANNELS
            for person in found.values()
        }
        pairs |= {
            ("email", canonical("email", event.who["email"]))
            for person in found.values()
            for event in person.events
            if event.who.get("email")
        }
        self.consents = Consents(self.journey.site_id, pairs)


def _channel(name: str) -> Channel | None:
    try:
        return get_channel(name)
    except ConfigurationError:
        return None
