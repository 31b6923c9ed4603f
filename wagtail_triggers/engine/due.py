"""Everything that the steps of due runs may look at, loaded in a fixed number of queries.

What no step looks at that can be asked in this turn (`Plan.reads`) is not read: a run that has only
waited costs neither its person's facts nor its event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NoReturn, cast
from zoneinfo import ZoneInfo

from ..contacts.facts import zone_of
from ..exceptions import TriggersError
from ..experiments.assignments import held
from ..journeys.plan import Plan
from ..journeys.steps.base import EventView, Run
from ..segments.membership import memberships
from . import jobs
from .history import facts_of, history, site_zones, views
from .live import plans_of
from .rows import PersonRow, RunRow
from .store import DueRun


def due_runs(
    rows: Mapping[int, RunRow], people: Mapping[int, PersonRow], moment: datetime
) -> list[DueRun]:
    """The runs as their steps see them; those whose version cannot be carried out are left out."""
    if not rows:
        return []
    plans = plans_of({row.version_id for row in rows.values()})
    ready = [row for row in rows.values() if row.version_id in plans]
    names = frozenset().union(*(plan.history_events for plan in plans.values()))
    asked = {name for plan in plans.values() for name in plan.segments}
    contacts, triggers = _read(ready, plans)
    past = _past(ready, plans, names, triggers)
    zones = _Zones(people.values())
    member = memberships(set(people), asked, moment)
    variants = held(people, _experiments(ready, plans))
    answers = jobs.answers(ready)
    runs = []
    for row in ready:
        pk = row.contact_id
        trigger = triggers.get(row.event_id)
        run = Run(
            row.pk,
            contacts.get(pk, UNREAD_FACTS),
            UNREAD_EVENT if trigger is None else trigger,
            row.key,
            frozenset(row.refs),
            row.entered_at,
            row.arrived_at,
            moment,
            zones.of(people[pk]),
            row.seq,
            past.get(row.pk, ()),
            row.journey_id,
            pk,
            row.node,
            member.get(pk, frozenset()),
            variants.get(pk, {}),
            answers.get(row.pk),
            row.last_message_at,
            row.waiting,
            row.stood_still,
        )
        runs.append(DueRun(run, plans[row.version_id], row.node, row.tries))
    return runs


def _read(
    rows: Iterable[RunRow], plans: Mapping[int, Plan]
) -> tuple[Mapping[int, Mapping[str, Any]], dict[int, EventView]]:
    """The facts of people and the events of runs whose steps look at them; by id."""
    contact_ids: set[int] = set()
    begun: dict[int, datetime] = {}
    for row in rows:
        plan = plans[row.version_id]
        reads = plan.reads(row.node)
        if "contact" in reads:
            contact_ids.add(row.contact_id)
        if "event" in reads or plan.history_events:
            begun[row.event_id] = row.entered_at
    events = views(begun) if begun else {}
    for event_id in begun.keys() - events.keys():  # retention has removed it
        events[event_id] = EventView(0, "", {}, begun[event_id])
    return facts_of(contact_ids), events


def _past(
    rows: Collection[RunRow],
    plans: Mapping[int, Plan],
    names: frozenset[str],
    triggers: Mapping[int, EventView],
) -> dict[int, tuple[EventView, ...]]:
    """What each person has done since the event that began the run, whoever was routed first."""
    looking = [row for row in rows if plans[row.version_id].history_events]
    if not looking:
        return {}
    since = min(min(row.entered_at, triggers[row.event_id].occurred_at) for row in looking)
    done = history({row.contact_id for row in looking}, names, since)
    return {row.pk: _since(triggers[row.event_id], done.get(row.contact_id, ())) for row in looking}


def _since(trigger: EventView, events: tuple[EventView, ...]) -> tuple[EventView, ...]:
    return tuple(
        event
        for event in events
        if event.id != trigger.id and event.occurred_at >= trigger.occurred_at
    )


def _experiments(rows: Iterable[RunRow], plans: Mapping[int, Plan]) -> set[str]:
    """The experiments that these runs may come to."""
    return {
        key
        for journey_id, version_id in {(row.journey_id, row.version_id) for row in rows}
        for node in plans[version_id].experiment_nodes
        if (key := plans[version_id].step(node).experiment(journey_id, node)) is not None
    }


class _Zones:
    """The time zone of each person, their site's where they have none."""

    def __init__(self, people: Iterable[PersonRow]) -> None:
        self._sites = site_zones({person.site_id for person in people})
        self._known: dict[tuple[int, str], ZoneInfo] = {}

    def of(self, person: PersonRow) -> ZoneInfo:
        key = (person.site_id, person.time_zone)
        found = self._known.get(key)
        if found is None:
            found = zone_of(person.time_zone, self._sites.get(person.site_id, ""))
            self._known[key] = found
        return found


class StepReadsMore(TriggersError):
    """A step looks at what it said it would not look at."""


def _refuse(what: str) -> NoReturn:
    raise StepReadsMore(
        f'A step looks at `Run.{what}` and does not say so. Add "{what}" to its `reads`.'
    )


class _UnreadFacts(Mapping[str, Any]):
    """The facts of a person whom no step of this turn looks at."""

    def __getitem__(self, name: str) -> NoReturn:
        _refuse("contact")

    def __iter__(self) -> Iterator[str]:
        _refuse("contact")

    def __len__(self) -> int:
        _refuse("contact")


class _UnreadEvent:
    """The event of a run whose steps of this turn do not look at it."""

    def __getattr__(self, name: str) -> NoReturn:
        _refuse("event")


UNREAD_FACTS: Final = _UnreadFacts()
UNREAD_EVENT: Final = cast(EventView, _UnreadEvent())
