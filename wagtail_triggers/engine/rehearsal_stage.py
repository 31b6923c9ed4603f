"""One person in a rehearsal: the router's rules, the steps and the arbiter on a simulated clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from ..conf import settings
from ..consent.caps import Use
from ..events.models import Cart, Event
from ..events.projections import CART_EVENTS, ORDER_EVENTS, Carts
from ..events.types import CONTACT_CHANGED
from ..exceptions import TriggersError
from ..journeys.reentry import PastRuns
from ..journeys.steps.base import Answer, EventView
from ..messages.guards import guards
from ..messages.models import Message, MessageClass
from ..messages.outcomes import Settlement
from ..messages.policies.arbiter import Recipient, Ruling, decide_for
from ..messages.policies.digest import MERGED
from .advance import Intent, Progress
from .history import view
from .intents import held_at, message_of
from .memory import MemoryBatch, MemoryRun, MemoryStore
from .models import Enrolment
from .rehearsal_world import Known, World, moment_of
from .routing import ActiveRun, Begin, Person, Routed, route_event
from .runner import run_batch
from .store import Failure

#: A person for whom more happens than this goes round in a circle.
MAX_TURNS: Final = 20_000
#: Steps that somebody of the staff answers: in a rehearsal nobody does, until the deadline.
ASKS_PEOPLE: Final = "human_task"

_LEFT: Final = (Enrolment.State.EXITED, Enrolment.State.CONVERTED)


class Endless(TriggersError):
    """The journey goes round in a circle for one of the people; it was not rehearsed to the end."""


class _Batch(MemoryBatch):
    """Due runs; what they want to say becomes a letter that nobody sends."""

    def __init__(self, stage: Stage, runs: dict[int, MemoryRun]) -> None:
        super().__init__(stage, runs)
        self._stage = stage

    def save(self, progress: Sequence[Progress], failures: Sequence[Failure]) -> None:
        """Keep what was decided; a run without its template is parked, as the engine does."""
        kept = [self._stage.with_templates(one) for one in progress]
        super().save(kept, failures)
        for one in kept:
            for intent in one.intents:
                self._stage.plan_letter(intent)


class Stage(MemoryStore):
    """Everything that happens to one person in a rehearsal.

    Attributes:
        letters: What was planned, with what became of it. None of them is stored.
        refusals: Why the person was not taken in.
        bought: When the person ordered something.
    """

    def __init__(self, world: World, known: Known) -> None:
        super().__init__(world.since)
        self.world, self.known = world, known
        self.journey, self.plan = world.journey, world.journey.plan
        self.letters: list[Message] = []
        self.refusals: list[str] = []
        self.bought: list[tuple[datetime, int]] = []
        self._facts = known.facts(world.since)
        self._past: PastRuns = known.past
        self._stored: list[EventView] = [
            one for one in known.before if one.name in self.plan.goal_events
        ]
        self._uses = list(known.uses)
        self._carts = Carts(())
        self._orders_undone: list[Event] = []
        self._depths: dict[int, int] = {}
        self._triggers: dict[int, Event] = {}
        self._made: deque[tuple[MemoryRun, EventView]] = deque()

    def play(self) -> None:
        """Let everything happen until the end of the rehearsal. Raises Endless."""
        todo = deque(self.known.events)
        for _turn in range(MAX_TURNS):
            at = self._next(todo)
            if at is None or at > self.world.until:
                return
            self.moment = max(self.moment, at)
            while todo and moment_of(todo[0]) <= self.moment:
                self._hear(todo.popleft())
            self._hear_own()
            if run_batch(self, settings.BATCH_SIZE):
                self._answer_jobs()
                self._hear_own()
            self._send()
        raise Endless(
            "The journey goes round in a circle for one person. Put a longer wait into it."
        )

    def _next(self, todo: deque[Event]) -> datetime | None:
        times = [moment_of(todo[0])] if todo else []
        times += [
            one.wake_at for one in self.runs.values() if one.state == "active" and one.wake_at
        ]
        times += [one.due_at for one in self.letters if one.due_at is not None]
        return min(times, default=None)

    @contextmanager
    def claim(self, limit: int) -> Iterator[MemoryBatch]:
        """The due runs."""
        due = {
            row.enrolment_id: row
            for row in self.runs.values()
            if row.state == "active" and row.wake_at is not None and row.wake_at <= self.moment
        }
        yield _Batch(self, due)

    # -- events ---------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if event.name in CART_EVENTS:
            self._carts.touch(event)
        elif event.name in ORDER_EVENTS:
            self._carts.close(event)
            self._change(self.known.order_facts(self.moment))
            if event.name == "order_placed":
                self.bought.append((event.occurred_at, event.pk))
            elif event.name in ("order_cancelled", "order_refunded"):
                self._orders_undone.append(event)
        seen = view(event)
        for run in self.runs.values():
            if event.occurred_at >= run.began.occurred_at:
                run.events.append(seen)
        if seen.name in self.plan.goal_events:
            self._stored.append(seen)
        self._triggers[event.pk] = event
        self._route(seen, event.key, event.depth, 0)

    def _hear_own(self) -> None:
        """Route what the steps have let happen."""
        for _turn in range(MAX_TURNS):
            if not self._made:
                return
            run, event = self._made.popleft()
            depth = self._depths.get(run.enrolment_id, 0) + 1
            self._route(event, "", depth, run.enrolment_id)

    def happen(self, row: MemoryRun, event: EventView, *, wakes_itself: bool = True) -> None:
        """A step lets something happen: it is in the person's history at once, and is routed."""
        if event.name == CONTACT_CHANGED:
            self._facts = dict(row.contact)
        for one in self.runs.values():
            one.events.append(event)
        if event.name in self.plan.goal_events:
            self._stored.append(event)
        self._made.append((row, event))

    def _change(self, news: dict[str, object]) -> None:
        self._facts = {**self._facts, **news}
        for run in self.runs.values():
            run.contact = {**run.contact, **news}

    def _route(self, event: EventView, key: str, depth: int, made_by: int) -> None:
        person, routed = self._person(), Routed()
        listens = event.name in self.plan.entry_events
        route_event(
            person,
            event,
            key=key,
            depth=depth,
            journeys=[self.journey] if listens else [],
            moment=self.moment,
            routed=routed,
            made_by=made_by,
        )
        self._past = person.past.get(self.journey.journey_id, self._past)
        self.refusals += [refusal.reason for refusal in routed.refusals]
        for finish in routed.finishes:
            if (run := self.runs.get(finish.enrolment_id)) is not None:
                run.state = "converted" if finish.converts else "exited"
                run.reason, run.wake_at = finish.event.name, None
                self._take_back(run)
        for wake in routed.wakes:
            run = self.runs[wake.enrolment_id]
            run.wake_at = self.moment
            self._depths[run.enrolment_id] = max(self._depths[run.enrolment_id], wake.depth)
        for begin in routed.begins:
            self._begin(begin)

    def _person(self) -> Person:
        journey = self.journey
        active = [
            ActiveRun(
                run.enrolment_id, journey.journey_id, run.key, run.began.refs, self.plan, run.began,
                journey_uid=journey.uid, node=run.node, waiting=run.waiting,
            )
            for run in self.runs.values()
            if run.state in Enrolment.ALIVE
        ]  # fmt: skip
        # Runs that were real, and under way when the rehearsal begins, are in the way of new ones.
        active += [
            ActiveRun(
                row.pk, journey.journey_id, row.key, frozenset(row.refs), self.plan,
                EventView(row.event_id, "", {}, row.entered_at), journey_uid=journey.uid,
            )
            for row in self.known.alive
            if row.ended_at is None or row.ended_at > self.moment
        ]  # fmt: skip
        return Person(
            facts=self._facts,
            zone=self.known.zone,
            active=active,
            past={journey.journey_id: self._past},
            stored=self._stored,
            segments=self.known.segments,
        )

    def _begin(self, begin: Begin) -> None:
        number = -len(self.runs) - 1  # no real run has such an id: nobody's clicks are taken for it
        self._depths[number] = begin.depth
        self.runs[number] = MemoryRun(
            enrolment_id=number,
            plan=self.plan,
            journey_id=self.journey.journey_id,
            contact=self._facts,
            began=begin.event,
            entered_at=self.moment,
            key=begin.key,
            time_zone=self.known.zone,
            contact_id=self.known.contact.pk,
            segments=self.known.segments,
            assignments=self.known.variants,
            node=begin.entry.first,
            arrived_at=self.moment,
            wake_at=self.moment,
        )

    def _answer_jobs(self) -> None:
        """Coupons are made and calls succeed at once; people are not asked."""
        for run in self.runs.values():
            asked = [job for job in run.jobs if job.kind != ASKS_PEOPLE]
            run.jobs.clear()
            if asked and run.state == "active" and run.waiting:
                self.answer(run, Answer(asked[-1].kind, "done"))

    # -- letters --------------------------------------------------------------------------------

    def with_templates(self, progress: Progress) -> Progress:
        """The progress, parked at the first message whose template is not published."""
        for intent in progress.intents:
            if self.world.version(intent.template, self.known.contact.language) is None:
                return held_at(progress, intent, self.moment)
        return progress

    def plan_letter(self, intent: Intent) -> None:
        """Write down what a step wants to say."""
        run, contact = self.runs[intent.enrolment_id], self.known.contact
        version = self.world.version(intent.template, contact.language)
        assert version is not None  # noqa: S101 - `with_templates` has looked
        row = Enrolment(
            pk=run.enrolment_id, site_id=self.journey.site_id, contact_id=contact.pk, key=run.key,
            event_id=run.began.id, seq=intent.seq, wake_at=self.moment,
        )  # fmt: skip
        told = Event(name=run.began.name, occurred_at=run.began.occurred_at)
        letter = message_of(intent, row, version, told, self.moment)
        letter.pk = len(self.letters) + 1
        letter.priority = self.journey.priority
        letter.address = self.world.address(
            letter.channel, contact, letter.message_class, self._triggers.get(run.began.id)
        )
        self.letters.append(letter)

    def _take_back(self, run: MemoryRun) -> None:
        for letter in self.letters:
            mine = letter.enrolment_id == run.enrolment_id
            if mine and letter.due_at and letter.message_class == MessageClass.MARKETING:
                self._settle(
                    letter, Settlement(Message.State.CANCELLED, guards.get("run_left").reason)
                )

    def _send(self) -> None:
        waiting = [one for one in self.letters if one.due_at is not None]
        if not any(_is_due(one, self.moment) for one in waiting):
            return
        free = []
        for letter in waiting:
            guard = self._stopped(letter)
            if not guard:
                free.append(letter)
            elif _is_due(letter, self.moment):
                rule = guards.get(guard)
                self._settle(letter, Settlement(rule.state, rule.reason))
        for letter in free:
            if letter.message_class != MessageClass.MARKETING and _is_due(letter, self.moment):
                self._leaves(letter)
        marketing = [one for one in free if one.message_class == MessageClass.MARKETING]
        if marketing:
            self._arbitrate(marketing)

    def _arbitrate(self, letters: list[Message]) -> None:
        by_now = [use for use in self._uses if use.at <= self.moment]
        person = Recipient(self.known.contact, self.world.rules, by_now)
        ruling = Ruling()
        decide_for(person, letters, self.moment, self.world.digests, ruling)
        for letter, new in ruling.settled:
            self._settle(letter, new)
        for entrant in ruling.go:
            if entrant.items:
                self._uses.append(Use(entrant.message.channel, self.moment))
                for item in entrant.items:
                    self._settle(item, Settlement(Message.State.MERGED, MERGED))
            else:
                self._leaves(entrant.message)

    def _leaves(self, letter: Message) -> None:
        if letter.message_class == MessageClass.MARKETING:
            self._uses.append(Use(letter.channel, self.moment))
        self._settle(letter, Settlement(Message.State.ACCEPTED))

    def _settle(self, letter: Message, new: Settlement) -> None:
        letter.state, letter.reason, letter.due_at = new.state, new.reason, new.due_at
        letter.settled_at = self.moment if new.terminal else None

    def _stopped(self, letter: Message) -> str:
        """The guard that stops a letter now, in the order in which guards are asked, or ""."""
        marketing = letter.message_class == MessageClass.MARKETING
        if letter.expires_at is not None and letter.expires_at <= self.moment:
            return "expired"
        if not letter.address:
            return "no_address"
        topic = self.world.topics.get(letter.topic_id or 0)
        found = self.world.consents.verdict(letter, topic, self.moment)
        if found or not marketing:
            return found
        if letter.subject_kind == "cart" and self._cart_is_closed(letter.subject_id):
            return "cart_closed"
        if self.runs[letter.enrolment_id or 0].state in _LEFT:
            return "run_left"
        if letter.subject_kind == "order" and self._order_is_undone(letter):
            return "order_undone"
        return ""

    def _cart_is_closed(self, cart: str) -> bool:
        row = self._carts.rows.get((self.journey.site_id, cart))
        return row is not None and row.status != Cart.Status.OPEN

    def _order_is_undone(self, letter: Message) -> bool:
        return any(
            one.key == letter.subject_id and one.pk > (letter.event_id or 0)
            for one in self._orders_undone
        )


def _is_due(letter: Message, moment: datetime) -> bool:
    return letter.due_at is not None and letter.due_at <= moment
