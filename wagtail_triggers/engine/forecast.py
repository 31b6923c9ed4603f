"""What a person will get in the days to come, as things stand: the frozen plans, walked ahead.

The same steps decide, the same arbiter gives the slots; only the clock is a simulated one, and
nothing is written. What depends on something that has not happened yet is walked as well, and says
on what it depends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ..contacts.models import Contact
from ..events.models import Event
from ..experiments.assignments import held
from ..journeys import conditions
from ..journeys.models import Journey
from ..journeys.plan import Plan
from ..journeys.steps.base import Answer, EventView, Run, Step
from ..journeys.steps.decisions import Assign, ChangeContact
from ..messages.models import Message
from ..messages.versions import Versions
from ..segments.membership import memberships
from . import jobs
from .advance import Intent, Progress, StepRecord, changed, follow
from .forecast_slots import NOT_STORED, Letter, hand_out
from .history import facts, history, site_zones, views, zone
from .intents import message_of
from .live import plans_of
from .models import Enrolment

#: How far ahead one looks.
HORIZON: Final = timedelta(days=30)
#: Ways that are walked for one run, and turns of the clock on each.
MOST_WAYS: Final = 60
MOST_TURNS: Final = 400
#: Jobs that only a person can settle: nobody does, until the deadline.
ASKS_PEOPLE: Final = "human_task"


@dataclass(frozen=True, slots=True)
class Proviso:
    """What must happen first: that the step at `node` of a version lets the run out by `port`."""

    node: str
    port: str


@dataclass(frozen=True, slots=True)
class Expected:
    """One message that is to come.

    Attributes:
        at: When it leaves at the earliest; None where a rule stops it as things stand.
        planned_at: When its step plans it.
        run: Whose run, with its version.
        node: The step.
        template: Its translation key.
        provisos: What must happen first, in order; empty where only time has to pass.
        stopped_by: The rule that would stop it as things stand, or "".
        message: The message, where it is planned already.
    """

    planned_at: datetime
    run: Enrolment
    node: str
    template: str
    at: datetime | None = None
    provisos: tuple[Proviso, ...] = ()
    stopped_by: str = ""
    message: Message | None = None


@dataclass(slots=True)
class Forecast:
    """What is to come, in order of time.

    Attributes:
        until: How far it reaches.
        expected: The messages.
        standing: Runs that time alone does not move: parked, held, or waiting without a time-out.
        cut_short: Whether there were more ways than were walked.
    """

    until: datetime
    expected: list[Expected] = field(default_factory=list)
    standing: list[Enrolment] = field(default_factory=list)
    cut_short: bool = False


def forecast(
    contact: Contact,
    moment: datetime,
    *,
    journey: Journey | None = None,
    horizon: timedelta = HORIZON,
) -> Forecast:
    """Say what a person will get; about a dozen queries, and not one that writes.

    Args:
        contact: The person.
        moment: Now.
        journey: Only what this journey will say; slots are counted over all of them.
        horizon: How far to look.
    """
    found = Forecast(moment + horizon)
    rows = Enrolment.objects.filter(contact=contact, state__in=Enrolment.ALIVE)
    runs = list(rows.select_related("journey", "version").order_by("entered_at", "pk"))
    going = [run for run in runs if _goes_on(run)]
    found.standing = [run for run in runs if not _goes_on(run)]
    seen = _seen(contact, going, moment)
    walks = [_Ways(run, seen[run.pk], plan, moment, found.until) for run, plan in _planned(going)]
    for walk in walks:
        walk.walk()
        found.cut_short |= walk.cut_short
        if walk.stands_still and walk.run not in found.standing:
            found.standing.append(walk.run)
    letters = [*_waiting(contact, runs), *_letters(contact, walks)]
    hand_out(contact, letters, moment, found.until)
    found.expected = sorted((_expected(one) for one in letters), key=_order)
    if journey is not None:
        found.expected = [one for one in found.expected if one.run.journey_id == journey.pk]
        found.standing = [run for run in found.standing if run.journey_id == journey.pk]
    return found


def _goes_on(run: Enrolment) -> bool:
    """Whether time moves the run: it is neither parked nor held by a pause or a switch."""
    return run.state == Enrolment.State.ACTIVE and run.held_wake_at is None


def _order(one: Expected) -> tuple[datetime, int]:
    return one.at or one.planned_at, len(one.provisos)


def _expected(letter: Letter) -> Expected:
    source: Expected = letter.source
    return replace(source, at=letter.leaves_at, stopped_by=letter.stopped_by)


def _planned(runs: Iterable[Enrolment]) -> Iterable[tuple[Enrolment, Plan]]:
    rows = list(runs)
    plans = plans_of({run.version_id for run in rows})
    for run in rows:
        if run.version_id in plans:
            yield run, plans[run.version_id]


def _seen(contact: Contact, runs: Sequence[Enrolment], moment: datetime) -> dict[int, Run]:
    """The runs as their steps would see them now; a fixed number of queries."""
    if not runs:
        return {}
    plans = plans_of({run.version_id for run in runs})
    began = views(run.event_id for run in runs)
    names = frozenset().union(*(plan.history_events for plan in plans.values()))
    since = min([run.entered_at for run in runs] + [one.occurred_at for one in began.values()])
    past = history([contact.pk], names, since).get(contact.pk, ())
    asked = {name for plan in plans.values() for name in plan.segments}
    member = memberships({contact.pk}, asked, moment).get(contact.pk, frozenset())
    variants = held([contact.pk], _experiments(runs, plans)).get(contact.pk, {})
    answers = jobs.answers(runs)  # type: ignore[arg-type]  # a run's row, or the run itself
    lives_in = zone(contact, site_zones({run.site_id for run in runs}))
    found = {}
    for run in runs:
        event = began.get(run.event_id) or EventView(0, "", {}, run.entered_at)
        found[run.pk] = Run(
            enrolment_id=run.pk,
            contact=facts(contact),
            event=event,
            key=run.key,
            refs=frozenset(run.refs),
            entered_at=run.entered_at,
            arrived_at=run.arrived_at,
            moment=max(moment, run.wake_at or moment),
            time_zone=lives_in,
            seq=run.seq,
            history=tuple(
                one for one in past if one.id != event.id and one.occurred_at >= event.occurred_at
            ),
            journey_id=run.journey_id,
            contact_id=contact.pk,
            node=run.node,
            segments=member,
            assignments=dict(variants),
            answer=answers.get(run.pk),
            last_message_at=run.last_message_at,
            waiting=run.waiting,
            stood_still=run.stood_still,
        )
    return found


def _experiments(runs: Iterable[Enrolment], plans: Mapping[int, Plan]) -> set[str]:
    return {
        key
        for run in runs
        if (plan := plans.get(run.version_id)) is not None
        for node in plan.experiment_nodes
        if (key := plan.step(node).experiment(run.journey_id, node)) is not None
    }


def _waiting(contact: Contact, runs: Sequence[Enrolment]) -> list[Letter]:
    """What is planned already and has not left."""
    by_id = {run.pk: run for run in runs}
    rows = Message.objects.filter(contact=contact, due_at__isnull=False, state__in=Message.WAITING)
    rows = rows.select_related("template_version__template").defer("context")
    ended = {row.enrolment_id for row in rows if row.enrolment_id is not None} - by_id.keys()
    more = Enrolment.objects.filter(pk__in=ended).select_related("journey", "version")
    by_id |= {run.pk: run for run in more} if ended else {}
    found = []
    for row in rows:
        run = by_id.get(row.enrolment_id or 0)
        if run is not None:
            template = str(row.template_version.template.translation_key)
            source = Expected(row.planned_at, run, row.node, template, message=row)
            found.append(Letter(row, source))
    return found


def _letters(contact: Contact, walks: Sequence[_Ways]) -> list[Letter]:
    """The messages that the steps would plan, as rows that nobody stores."""
    sends = [(walk, one) for walk in walks for one in walk.sends]
    versions = Versions(
        (one.intent.template for _walk, one in sends),
        since=min((walk.run.entered_at for walk, _one in sends), default=None),
    )
    events = Event.objects.in_bulk({walk.run.event_id for walk in walks}) if sends else {}
    found = []
    for walk, one in sends:
        run, intent = walk.run, one.intent
        source = Expected(one.at, run, intent.node, intent.template, provisos=one.provisos)
        version = versions.find(intent.template, contact.language, run.entered_at)
        if version is None:
            found.append(Letter(None, source, stopped_by="no_template"))
            continue
        event = events.get(run.event_id)
        message = message_of(intent, walk.at_its_time(one.at), version, event, one.at)
        message.priority = run.journey.priority
        found.append(Letter(message, source, certain=not one.provisos))
    _number(found)
    return found


def _number(letters: Iterable[Letter]) -> None:
    """Give rows the order in which the engine would store them; of equals the first goes first."""
    rows = [one.message for one in letters if one.message is not None]
    rows.sort(key=lambda row: (row.planned_at, row.idempotency_key))
    for number, row in enumerate(rows):
        row.pk = NOT_STORED + number


@dataclass(frozen=True, slots=True)
class _Sent:
    """An intent of the walk, with its moment and what had to happen first."""

    at: datetime
    intent: Intent
    provisos: tuple[Proviso, ...]


class _Ways:
    """All ways that one run may go from here."""

    def __init__(
        self, run: Enrolment, seen: Run, plan: Plan, now: datetime, until: datetime
    ) -> None:
        self.run, self.plan, self.now, self.until = run, plan, now, until
        self.sends: list[_Sent] = []
        self.cut_short = self.stands_still = False
        self._todo: deque[tuple[Run, tuple[Proviso, ...]]] = deque([(seen, ())])
        self._been: set[tuple[str, tuple[Proviso, ...]]] = set()
        self._said: set[tuple[str, tuple[Proviso, ...], datetime]] = set()

    def at_its_time(self, moment: datetime) -> Enrolment:
        """The run as it will be when it is moved: due at that moment, and on its way."""
        due = Enrolment(
            pk=self.run.pk,
            site_id=self.run.site_id,
            contact_id=self.run.contact_id,
            key=self.run.key,
            event_id=self.run.event_id,
            seq=max(1, self.run.seq),
            depth=self.run.depth,
            wake_at=moment,
        )
        return due

    def walk(self) -> None:
        """Follow what happens if nothing more happens, then each of the other ways."""
        ways = 0
        while self._todo:
            if ways >= MOST_WAYS:
                self.cut_short = True
                return
            ways += 1
            run, provisos = self._todo.popleft()
            self._go(run, provisos)

    def _go(self, run: Run, provisos: tuple[Proviso, ...]) -> None:
        for _turn in range(MOST_TURNS):
            if run.moment > self.until:
                return
            went = follow(run, self.plan, run.node)
            self._note(run, went, provisos)
            if went.ended or went.state == "parked":
                return
            if went.waiting and went.jobs and went.jobs[-1].kind != ASKS_PEOPLE:
                # Machines answer at once, and mostly with success.
                run = self._moved(run, went, run.moment)
                run = replace(run, answer=Answer(went.jobs[-1].kind, "done"))
                continue
            if went.wake_at is None:
                self._wait_for_ever(run, went, provisos)
                return
            run = self._moved(run, went, went.wake_at)
        self.cut_short = True

    @staticmethod
    def _moved(run: Run, went: Progress, moment: datetime) -> Run:
        contact, assignments = run.contact, dict(run.assignments)
        for done in went.effects:
            match done.effect:
                case ChangeContact() as change:
                    contact = changed(contact, change)
                case Assign(experiment=experiment, variant=variant):
                    assignments[experiment] = variant
        stays = went.node == run.node and not went.steps
        return replace(
            run,
            node=went.node,
            seq=went.seq,
            contact=contact,
            assignments=assignments,
            arrived_at=went.arrived_at,
            moment=moment,
            waiting=went.waiting,
            answer=run.answer if stays else None,
            last_message_at=went.last_message_at,
            stood_still=run.stood_still if went.arrived_at == run.arrived_at else timedelta(0),
        )

    def _note(self, run: Run, went: Progress, provisos: tuple[Proviso, ...]) -> None:
        """Remember what was planned on the way, and the other ways out of each fork."""
        for intent in went.intents:
            said = (intent.node, provisos, run.moment)
            if said not in self._said and run.moment <= self.until:
                self._said.add(said)
                self.sends.append(_Sent(run.moment, intent, provisos))
        here, waited = run.node, run.waiting
        for record in went.steps:
            if record.decision in ("advance", "act"):
                was_waiting = waited and record.node == here and record is went.steps[0]
                # What it waits for may happen at any moment from now on.
                since = max(run.arrived_at, self.now) if was_waiting else run.moment
                self._fork(run, record, since, was_waiting, provisos)

    def _fork(
        self,
        run: Run,
        record: StepRecord,
        since: datetime,
        was_waiting: bool,
        provisos: tuple[Proviso, ...],
    ) -> None:
        step = self.plan.step(record.node)
        others = [port.name for port in step.ports() if port.name != record.port]
        if not others or not _is_open(step, run, record.node):
            return
        if not was_waiting and run.moment <= self.now:
            return  # it is decided now
        for port in others:
            self._other(run, record.node, port, since, provisos)

    def _other(
        self, run: Run, node: str, port: str, since: datetime, provisos: tuple[Proviso, ...]
    ) -> None:
        way = (*provisos, Proviso(node, port))
        if (node, way) in self._been or len(way) > len(self.plan.steps):
            return
        self._been.add((node, way))
        target = self.plan.next(node, port)
        other = replace(
            run, node=target, moment=since, arrived_at=since, waiting=False, answer=None,
            stood_still=timedelta(0), seq=run.seq + 1,
        )  # fmt: skip
        self._todo.append((other, way))

    def _wait_for_ever(self, run: Run, went: Progress, provisos: tuple[Proviso, ...]) -> None:
        """Without a time-out only something that happens lets the run go on."""
        if not provisos:
            self.stands_still = True
        here = self._moved(run, went, run.moment)
        since = max(went.arrived_at, self.now)
        for port in self.plan.step(went.node).ports():
            self._other(here, went.node, port.name, since, provisos)


def _is_open(step: Step[Any], run: Run, node: str) -> bool:
    """Whether the step might still decide otherwise, by what may happen until then."""
    if step.experiment(run.journey_id, node) is not None:
        return False
    settings = step.settings
    own = [getattr(settings, "condition", None)]
    own += [getattr(path, "condition", None) for path in getattr(settings, "paths", ())]
    judged = [one for one in own if isinstance(one, conditions.Condition)]
    if judged:
        return any(conditions.wakes_on(one) or conditions.segments(one) for one in judged)
    return True
