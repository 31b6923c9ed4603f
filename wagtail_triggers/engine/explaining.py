"""Why somebody did, or did not, get what a journey says: from what was recorded, typed, in order.

Nothing is judged anew here. Whoever let an event pass, put a message off or ended a run has written
down why; this reads it, for one person and one journey, in a fixed number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import Q

from ..contacts.models import Contact
from ..events.models import Event
from ..events.types import JOURNEY_REQUESTED
from ..journeys.models import Journey, JourneyVersion, Standing
from ..journeys.plan import Plan
from ..messages.models import Message, TriggersSettings
from ..messages.verdicts import code_of
from .live import plans_of
from .merging import MERGED
from .models import Enrolment, Job, Refusal, StepRun

#: What is looked at of each kind, the newest first. The answer stands among the first.
MOST: Final = 25
MOST_STEPS: Final = 500
#: Which versions are asked what they listened to.
MOST_VERSIONS: Final = 50

#: Why nobody enters a journey that stands so.
_CLOSED: Final = {
    Standing.State.PAUSED: "journey_paused",
    Standing.State.ARCHIVED: "journey_archived",
    Standing.State.UNPUBLISHED: "journey_unpublished",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that happened, or did not.

    Attributes:
        code: Which: one of the codes that `admin.why` has words for.
        at: When it was decided.
        event: What it was about.
        refusal: The recorded refusal.
        standing: How the journey stood then.
        run: The run.
        message: The message.
        version: The version whose rule it was.
        node: The step, and `port` the way out that was taken.
        until: Until when it stays so, where that is known.
    """

    code: str
    at: datetime | None = None
    event: Event | None = None
    refusal: Refusal | None = None
    standing: Standing | None = None
    run: Enrolment | None = None
    message: Message | None = None
    version: JourneyVersion | None = None
    node: str = ""
    port: str = ""
    until: datetime | None = None
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One event that might have begun a run, with what came of it; or a run whose event is gone.

    `answer` is what it came to; `letters` are the messages of the run, the newest first.
    """

    answer: Finding
    event: Event | None = None
    run: Enrolment | None = None
    letters: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one person and one journey. `answer` is the newest of it."""

    contact: Contact
    journey: Journey
    answer: Finding
    attempts: tuple[Attempt, ...] = ()
    #: Events that the journey listens to, or has listened to.
    listens_for: frozenset[str] = frozenset()


@dataclass
class _Record:
    """What is loaded; each is one query."""

    contact: Contact
    journey: Journey
    moment: datetime
    plans: dict[int, Plan] = field(default_factory=dict)
    versions: dict[int, JourneyVersion] = field(default_factory=dict)
    standings: list[Standing] = field(default_factory=list)
    runs: list[Enrolment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refusals: dict[int, Refusal] = field(default_factory=dict)
    steps: dict[int, list[StepRun]] = field(default_factory=dict)
    letters: dict[int, list[Message]] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    site_is_off: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(plan.entry_events for plan in self.plans.values()))

    def load(self) -> None:
        rows = self.journey.versions.order_by("-number")[:MOST_VERSIONS]
        self.versions = {row.pk: row for row in rows.defer("graph")}
        self.plans = plans_of(self.versions)
        self.standings = list(self.journey.standings.order_by("at", "pk"))
        runs = Enrolment.objects.filter(journey=self.journey, contact=self.contact)
        self.runs = list(runs.order_by("-entered_at", "-pk")[:MOST])
        self._load_events()
        self._load_runs([run.pk for run in self.runs])
        self.site_is_off = TriggersSettings.objects.filter(
            site_id=self.journey.site_id, sending_on=False
        ).exists()

    def _load_events(self) -> None:
        wanted = Q(name__in=self.names - {JOURNEY_REQUESTED})
        if JOURNEY_REQUESTED in self.names:
            wanted |= Q(name=JOURNEY_REQUESTED, payload__journey=str(self.journey.uid))
        rows = Event.objects.filter(wanted, contact=self.contact, site_id=self.journey.site_id)
        self.events = list(rows.order_by("-occurred_at", "-pk")[:MOST])
        refusals = Refusal.objects.filter(
            journey=self.journey, contact=self.contact, event_id__in=[row.pk for row in self.events]
        )
        self.refusals = {row.event_id: row for row in refusals.order_by("pk")}

    def _load_runs(self, ids: Sequence[int]) -> None:
        steps: dict[int, list[StepRun]] = defaultdict(list)
        for step in StepRun.objects.filter(enrolment_id__in=ids).order_by("-pk")[:MOST_STEPS]:
            steps[step.enrolment_id].insert(0, step)
        self.steps = {pk: sorted(own, key=lambda one: one.seq) for pk, own in steps.items()}
        letters: dict[int, list[Message]] = defaultdict(list)
        rows = Message.objects.filter(enrolment_id__in=ids).order_by("-planned_at", "-pk")
        for row in rows.select_related("template_version__template").defer(
            "context", "template_version__html", "template_version__text"
        )[:MOST_STEPS]:
            letters[row.enrolment_id or 0].append(row)
        self.letters = letters
        jobs = Job.objects.filter(enrolment_id__in=ids, state__in=Job.PENDING)
        self.jobs = {row.enrolment_id: row for row in jobs}

    def standing_at(self, moment: datetime) -> Standing | None:
        """How the journey stood at a moment; None before it was published."""
        found = None
        for row in self.standings:
            if row.at <= moment:
                found = row
        return found


def explain(contact: Contact, journey: Journey, moment: datetime) -> Explanation:
    """Explain what a journey did with a person; about a dozen queries, however much there is.

    Args:
        contact: The person; whoever was merged is explained as the one they became.
        journey: The journey.
        moment: Now.
    """
    if contact.merged_into is not None:
        return explain(contact.merged_into, journey, moment)
    record = _Record(contact, journey, moment)
    record.load()
    by_event: dict[int, list[Enrolment]] = defaultdict(list)
    for run in record.runs:
        by_event[run.event_id].append(run)
    attempts = []
    for event in record.events:
        own = by_event.pop(event.pk, [])
        attempts += [_of_run(record, run, event) for run in own]
        if not own:
            attempts.append(_of_event(record, event))
    # Their events are no longer kept, or belonged to somebody who was merged.
    attempts += [_of_run(record, run, None) for rest in by_event.values() for run in rest]
    attempts.sort(key=_moment_of, reverse=True)
    answer = attempts[0].answer if attempts else _never(record)
    return Explanation(contact, journey, answer, tuple(attempts), record.names)


def _moment_of(attempt: Attempt) -> tuple[datetime, int]:
    if attempt.event is not None:
        return attempt.event.occurred_at, attempt.event.pk
    assert attempt.run is not None  # noqa: S101 - an attempt is about one of them
    return attempt.run.entered_at, attempt.run.pk


def _never(record: _Record) -> Finding:
    """Nothing happened that the journey listens to; or it never listened to anything."""
    if not record.versions:
        return Finding("never_published")
    standing = record.standings[-1] if record.standings else None
    return Finding("no_event", standing=standing, version=_version(record, standing))


def _of_event(record: _Record, event: Event) -> Attempt:
    """What came of an event that began no run."""
    return Attempt(_refused(record, event), event)


def _refused(record: _Record, event: Event) -> Finding:
    refusal = record.refusals.get(event.pk)
    if refusal is not None:
        version = record.versions.get(refusal.version_id or 0)
        return Finding(refusal.reason, refusal.at, event, refusal, version=version)
    if event.routed_at is None:
        return Finding("set_aside_for_now" if event.tries else "queued", event=event)
    standing = record.standing_at(event.routed_at)
    version = _version(record, standing)
    if standing is None:
        return Finding("not_yet_published", event.routed_at, event)
    if standing.state in _CLOSED:
        code = _CLOSED[Standing.State(standing.state)]
        return Finding(code, event.routed_at, event, standing=standing, version=version)
    plan = record.plans.get(standing.version_id or 0)
    if plan is not None and event.name not in plan.entry_events:
        return Finding("not_listened", event.routed_at, event, standing=standing, version=version)
    if event.problem:
        return Finding("set_aside", event.routed_at, event)
    return Finding("not_kept", event.routed_at, event, standing=standing, version=version)


def _version(record: _Record, standing: Standing | None) -> JourneyVersion | None:
    return record.versions.get(standing.version_id or 0) if standing is not None else None


def _of_run(record: _Record, run: Enrolment, event: Event | None) -> Attempt:
    letters = tuple(_of_message(record, run, one) for one in record.letters.get(run.pk, ()))
    return Attempt(_answer(record, run, event, letters), event, run, letters)


def _of_message(record: _Record, run: Enrolment, message: Message) -> Finding:
    version = record.versions.get(message.journey_version_id or 0)
    until = message.due_at
    at = message.settled_at or _put_off(message) or message.planned_at
    return Finding(
        code_of(message), at, run=run, message=message, version=version, node=message.node,
        until=until,
    )  # fmt: skip


def _put_off(message: Message) -> datetime | None:
    """Since when a message is put off for the reason that it has now."""
    last = message.trail[-1] if message.trail else None
    if last is None or last.get("reason") != message.reason:
        return None
    return datetime.fromisoformat(last["at"])


def _answer(
    record: _Record, run: Enrolment, event: Event | None, letters: Sequence[Finding]
) -> Finding:
    """What a run came to: what holds its newest letter, or else where it is itself."""
    newest = letters[0] if letters else None
    standing = _standing_of(record, run, event)
    if newest is None or newest.message is None:
        return standing
    if newest.message.state == Message.State.ACCEPTED:
        return newest if run.state == Enrolment.State.COMPLETED else standing
    if newest.message.state in Message.TERMINAL:
        taken_back = newest.message.state == Message.State.CANCELLED
        same = taken_back and run.ended_at is not None and newest.message.reason == run.reason
        return standing if same else newest
    return standing if standing.code in ("journey_paused_now", "site_off") else newest


def _standing_of(record: _Record, run: Enrolment, event: Event | None) -> Finding:
    version = record.versions.get(run.version_id)
    last = record.steps.get(run.pk, [])[-1:]
    node = run.node

    def found(code: str, at: datetime | None, **more: object) -> Finding:
        return Finding(
            code,
            at,
            event,
            run=run,
            version=version,
            **{"node": node, **more},  # type: ignore[arg-type]
        )

    if run.ended_at is not None:
        return _ended(record, run, event)
    if run.state == Enrolment.State.PARKED:
        at = last[0].at if last and last[0].decision == "park" else run.arrived_at
        return found("parked", at)
    if record.site_is_off:
        return found("site_off", None)
    if record.journey.state == Journey.State.PAUSED:
        standing = record.standings[-1] if record.standings else None
        return found("journey_paused_now", record.journey.paused_at, standing=standing)
    if run.tries:
        return found("trying_again", run.arrived_at, until=run.wake_at)
    job = record.jobs.get(run.pk)
    if run.waiting and job is not None:
        code = "task" if job.state == Job.State.OPEN else "job"
        return found(code, job.created_at, until=job.deadline, job=job)
    if run.waiting:
        code = "waiting" if last and last[0].decision == "wait" else "waiting_for"
        return found(code, run.arrived_at, until=run.wake_at)
    return found("due", run.arrived_at, until=run.wake_at)


def _ended(record: _Record, run: Enrolment, event: Event | None) -> Finding:
    steps = record.steps.get(run.pk, [])
    version = record.versions.get(run.version_id)
    held = next((one for one in steps if one.port == "held_out"), None)
    if held is not None and not record.letters.get(run.pk):
        return Finding(
            "held_out", held.at, event, run=run, version=version, node=held.node, port=held.port
        )
    if run.state == Enrolment.State.COMPLETED and not record.letters.get(run.pk):
        fork = _last_fork(record, steps)
        if fork is not None:
            own = record.versions.get(fork.version_id, version)
            return Finding(
                "another_way", fork.at, event, run=run, version=own, node=fork.node, port=fork.port
            )
    code = {
        Enrolment.State.CONVERTED: "converted",
        Enrolment.State.COMPLETED: "completed",
    }.get(Enrolment.State(run.state), "merged_away" if run.reason == MERGED else "left")
    return Finding(code, run.ended_at, event, run=run, version=version, node=run.node)


def _last_fork(record: _Record, steps: Sequence[StepRun]) -> StepRun | None:
    """The last step with more than one way out: there the run went where no letter is."""
    for step in reversed(steps):
        plan = record.plans.get(step.version_id)
        if plan is not None and step.node in plan.steps and len(plan.step(step.node).ports()) > 1:
            return step
    return None
