"""Hold the rows of a journey or a site, and let them go again: in chunks, under the people's locks.

What is held is taken out of the queues (`wake_at`, `due_at` become NULL): left there, half a
million overdue rows of a paused journey would be looked at on every tick and starve everybody
else's. A decision is a row, `Switch`; whoever finds it open goes on with it, so that a process that
dies in the middle leaves nobody behind.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet

from ..conf import TASK_JOBS, TASK_RUN, TASK_SEND_BULK, settings
from ..contacts.locking import lock_ids
from ..contacts.models import Contact
from ..core import clock
from ..core.bulk import update_rows
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..journeys.models import Journey, JourneyVersion
from ..messages.models import Message, TriggersSettings
from .models import Enrolment, Job, Switch

#: Rows of one transaction.
CHUNK: Final = 2_000
#: Rows that are looked up at once: each look walks over what has followed already.
LOOK: Final = 50_000
#: A worker that read "paused" just before it was let go puts rows aside for so long after; no
#: transaction of ours lives longer.
GRACE: Final = timedelta(minutes=2)

Row = TypeVar("Row", bound=Enrolment | Message | Job)


def stopped() -> Q:
    """The condition on runs under which nothing of them is carried out."""
    return is_paused(OuterRef("journey")) | is_off(OuterRef("site"))


def is_paused(journey: OuterRef) -> Q:
    """Whether the journey with this key is paused."""
    return Q(Exists(Journey.objects.filter(pk=journey, state=Journey.State.PAUSED)))


def is_paused_for(version: OuterRef) -> Q:
    """Whether the journey of the version with this key is paused."""
    paused = JourneyVersion.objects.filter(pk=version, journey__state=Journey.State.PAUSED)
    return Q(Exists(paused))


def is_off(site: OuterRef) -> Q:
    """Whether the site with this key is switched off."""
    return Q(Exists(TriggersSettings.objects.filter(site=site, sending_on=False)))


def as_expression(condition: Q) -> ExpressionWrapper[Q]:
    """A condition as a column of its own."""
    return ExpressionWrapper(condition, output_field=BooleanField())


def decide(
    kind: str,
    moment: datetime,
    *,
    site_id: int,
    journey: Journey | None = None,
    clocks: str = Switch.Clocks.RUN,
    held_at: datetime | None = None,
) -> Switch:
    """Record a decision, which takes the place of those before it; in the caller's transaction."""
    earlier = Switch.objects.filter(site_id=site_id, journey=journey, done_at=None)
    earlier.update(done_at=moment)
    return Switch.objects.create(
        kind=kind, site_id=site_id, journey=journey, clocks=clocks, held_at=held_at, began_at=moment
    )


def follow(switch: Switch, *, seconds: float | None = None) -> int:
    """Let rows follow a decision.

    Args:
        switch: The decision; closed once every row has followed.
        seconds: When to leave the rest to others; None: when nothing is left.

    Returns:
        How many runs were held or let go.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    runs = 0
    for rows in _rows_of(switch):
        while found := list(rows.values_list("pk", "contact_id")[:LOOK]):
            for begun in range(0, len(found), CHUNK):
                chunk = found[begun : begun + CHUNK]
                if not _chunk(rows, dict(chunk), switch.pk):
                    return runs
                runs += len(chunk) if rows.model is Enrolment else 0
                if ends is not None and time.monotonic() >= ends:
                    return runs
    moment = clock.now()
    if switch.kind == Switch.Kind.HOLD or moment >= switch.began_at + GRACE:
        Switch.objects.filter(pk=switch.pk, done_at=None).update(done_at=moment)
    return runs


def carry_on(*, seconds: float = 20.0) -> int:
    """Go on with decisions that are not carried out yet, and follow the switches of sites.

    Returns:
        How many runs were held or let go.
    """
    ends = time.monotonic() + seconds
    _notice_sites()
    _notice_forgotten()
    runs = 0
    for switch in Switch.objects.filter(done_at=None).order_by("pk"):
        runs += follow(switch, seconds=max(0.0, ends - time.monotonic()))
    return runs


def _notice_sites() -> None:
    """Make a decision of every site's switch that was thrown since the last look."""
    off = set(TriggersSettings.objects.filter(sending_on=False).values_list("site_id", flat=True))
    last: dict[int, Switch] = {}
    for switch in Switch.objects.filter(journey=None).order_by("pk"):
        last[switch.site_id] = switch
    held = {site for site, switch in last.items() if switch.kind == Switch.Kind.HOLD}
    if off == held:
        return
    moment = clock.now()
    for site in sorted(off - held):
        decide(Switch.Kind.HOLD, moment, site_id=site)
    for site in sorted(held - off):
        decide(Switch.Kind.RELEASE, moment, site_id=site, held_at=last[site].began_at)


def _notice_forgotten() -> None:
    """Let go whatever is held although nothing holds it any more.

    A worker may put rows aside because of a switch that is thrown back at that moment. Each journey
    is looked up in the index of what is held, however much that is.
    """
    moment = clock.now()
    letting_go = Switch.objects.filter(
        Q(journey=OuterRef("pk")) | Q(journey=None, site=OuterRef("site")),
        kind=Switch.Kind.RELEASE,
        done_at=None,
    )
    runs = Enrolment.objects.filter(
        journey=OuterRef("pk"), state=Enrolment.State.ACTIVE, held_wake_at__isnull=False
    )
    messages = Message.objects.filter(
        journey_version__journey=OuterRef("pk"),
        state__in=Message.WAITING,
        held_due_at__isnull=False,
    )
    held_jobs = Job.objects.filter(
        enrolment__journey=OuterRef("pk"), state=Job.State.PLANNED, held_due_at__isnull=False
    )
    forgotten = Journey.objects.filter(
        Exists(runs) | Exists(messages) | Exists(held_jobs), ~is_off(OuterRef("site"))
    ).exclude(state=Journey.State.PAUSED)
    for journey in forgotten.filter(~Exists(letting_go)).order_by("pk"):
        decide(Switch.Kind.RELEASE, moment, site_id=journey.site_id, journey=journey)


def _rows_of(switch: Switch) -> Sequence[QuerySet[Enrolment] | QuerySet[Message] | QuerySet[Job]]:
    """What is to follow: runs, messages and jobs that do not stand as they should yet."""
    off = is_off(OuterRef("site"))
    paused = is_paused(OuterRef("enrolment__journey"))
    stopped_letters = is_paused_for(OuterRef("journey_version"))
    runs = Enrolment.objects.filter(state=Enrolment.State.ACTIVE)
    messages = Message.objects.filter(state__in=Message.WAITING)
    jobs = Job.objects.filter(state=Job.State.PLANNED)
    if switch.journey_id is not None:
        runs = runs.filter(journey_id=switch.journey_id)
        messages = messages.filter(journey_version__journey_id=switch.journey_id)
        jobs = jobs.filter(enrolment__journey_id=switch.journey_id)
    else:
        runs = runs.filter(journey__site_id=switch.site_id)
        messages = messages.filter(site_id=switch.site_id)
        jobs = jobs.filter(site_id=switch.site_id)
    if switch.kind == Switch.Kind.HOLD:
        return (
            runs.filter(stopped(), wake_at__isnull=False),
            messages.filter(stopped_letters | off, due_at__isnull=False),
            jobs.filter(paused | off, due_at__isnull=False),
        )
    return (
        runs.filter(~stopped(), held_wake_at__isnull=False).order_by("held_wake_at", "pk"),
        messages.filter(~stopped_letters, ~off, held_due_at__isnull=False).order_by(
            "held_due_at", "pk"
        ),
        jobs.filter(~paused, ~off, held_due_at__isnull=False).order_by("held_due_at", "pk"),
    )


@retrying
def _chunk(rows: QuerySet[Row], found: dict[int, int], switch_id: int) -> bool:
    """Let these rows (with their contacts) follow; False where the decision is no longer open."""
    with engine_transaction():
        people = Contact.objects.filter(pk__in=set(found.values()))
        lock_ids(people)
        # A second statement with the whole predicate: what was found may have moved meanwhile.
        mine = list(locked(rows.filter(pk__in=found), of=("self",)).order_by("pk"))
        switch = locked(Switch.objects.filter(pk=switch_id, done_at=None)).first()
        if switch is None:
            return False  # another decision has taken its place
        if switch.kind == Switch.Kind.HOLD:
            hold(mine)
        else:
            _release(mine, switch)
    return True


def hold(rows: Iterable[Enrolment | Message | Job]) -> None:
    """Take rows out of their queue; their contacts are locked."""
    ids: dict[type[Enrolment | Message | Job], list[int]] = {Enrolment: [], Message: [], Job: []}
    for row in rows:
        ids[type(row)].append(row.pk)
    if ids[Enrolment]:
        hold_runs(ids[Enrolment])
    if ids[Message]:
        messages = Message.objects.filter(pk__in=ids[Message])
        messages.update(held_due_at=F("due_at"), due_at=None)
    if ids[Job]:
        held_jobs = Job.objects.filter(pk__in=ids[Job])
        held_jobs.update(held_due_at=F("due_at"), due_at=None)


def hold_runs(ids: Sequence[int]) -> None:
    """Take these runs out of their queue; their contacts are locked."""
    runs = Enrolment.objects.filter(pk__in=ids)
    runs.update(held_wake_at=F("wake_at"), wake_at=None)


def _release(rows: list[Row], switch: Switch) -> None:
    """Put rows back into their queue: what is overdue in a ramp, the rest when its time comes."""
    if not rows:
        return
    moment = clock.now()
    overdue = 0
    for row in sorted(rows, key=_held_until):
        due = _due(row, switch)
        overdue_since = due if due <= moment else None
        if overdue_since is not None:
            due = _place_in_ramp(row, switch, overdue, moment)
            overdue += 1
        if isinstance(row, Enrolment):
            row.wake_at, row.held_wake_at, row.due_since = due, None, overdue_since
        else:
            row.due_at, row.held_due_at = due, None
    if isinstance(rows[0], Enrolment):
        update_rows(Enrolment, rows, ["wake_at", "held_wake_at", "due_since", "stood_still"])
    else:
        update_rows(type(rows[0]), rows, ["due_at", "held_due_at"])
    Switch.objects.filter(pk=switch.pk).update(released=F("released") + overdue)
    nudge(TASK_RUN)
    nudge(TASK_SEND_BULK)
    nudge(TASK_JOBS)


def _held_until(row: Enrolment | Message | Job) -> tuple[datetime, int]:
    """What was due first goes first."""
    held = row.held_wake_at if isinstance(row, Enrolment) else row.held_due_at
    assert held is not None  # noqa: S101 - the query asked for it
    return held, row.pk


def _due(row: Enrolment | Message | Job, switch: Switch) -> datetime:
    """When the row is due by the chosen clocks."""
    if not isinstance(row, Enrolment):
        assert row.held_due_at is not None  # noqa: S101 - the query asked for it
        return row.held_due_at
    stood = timedelta(0)
    if switch.clocks == Switch.Clocks.STAND and switch.held_at is not None:
        stood = max(stood, switch.began_at - max(switch.held_at, row.arrived_at))
    row.stood_still += stood
    if row.due_since is not None:
        return row.due_since  # it was due already, or has been woken meanwhile
    assert row.held_wake_at is not None  # noqa: S101 - the query asked for it
    return row.held_wake_at + stood


def _place_in_ramp(
    row: Enrolment | Message | Job, switch: Switch, number: int, moment: datetime
) -> datetime:
    """So many a minute; what a person waits for (a receipt) goes at once."""
    if isinstance(row, Message) and row.message_class == "transactional":
        return moment
    minutes = (switch.released + number) // settings.RESUME_PER_MINUTE
    return max(moment, switch.began_at + timedelta(minutes=minutes))
