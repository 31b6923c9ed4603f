"""What is wrong, in one look: for `triggers_doctor` and for the admin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from ..conf import TASK_TICK, settings
from ..core import clock
from ..core.queue import broker, reach_broker
from ..events.models import Event, MappingFault
from ..journeys.models import Journey
from ..messages.models import Circuit, Message, Template
from . import retention
from .models import BatchAttempt, Enrolment, Job

#: Work that is due for longer than this waits for workers that do not come.
OVERDUE: Final = timedelta(minutes=5)
#: A transaction open for longer keeps PostgreSQL from cleaning up the queue's index.
OLD_SNAPSHOT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: What.
        ok: Whether it is as it should be.
        text: What was found, and what to do about it.
    """

    topic: str
    ok: bool
    text: str


def findings(*, with_broker: bool = True) -> list[Finding]:
    """Look at everything; reaches the broker (for at most a second) unless told not to."""
    moment = clock.now()
    return [
        *(_broker() if with_broker else ()),
        *_queues(moment),
        *_stuck(moment),
        *_set_aside(),
        *_stopped(moment),
        *_published(),
        *_snapshots(moment),
        *_retention(moment),
    ]


def _broker() -> Iterator[Finding]:
    if settings.NUDGE == "off":
        yield Finding(_("Broker"), True, _("Hints are off: only the tick finds work."))
        return
    fault = reach_broker()
    yield Finding(
        _("Broker"),
        not fault,
        _("Reachable.")
        if not fault
        else _(
            "Not reachable (%(fault)s). Nothing is lost, but work waits for the tick. Start it, or "
            "correct CELERY_BROKER_URL."
        )
        % {"fault": fault},
    )
    ticking = TASK_TICK in broker().scheduled
    yield Finding(
        _("Beat"),
        ticking,
        _("The tick is scheduled.")
        if ticking
        else _("Nothing calls the tick. Add beat_schedule() or a cron job of triggers_tick."),
    )


def _queues(moment: datetime) -> Iterator[Finding]:
    late = moment - OVERDUE
    for topic, count in (
        (_("Events"), Event.objects.filter(routed_at=None, recorded_at__lt=late).count()),
        (
            _("Runs"),
            Enrolment.objects.filter(state=Enrolment.State.ACTIVE, wake_at__lt=late).count(),
        ),
        (
            _("Messages"),
            Message.objects.filter(state__in=Message.WAITING, due_at__lt=late).count(),
        ),
        (_("Jobs"), Job.objects.filter(state=Job.State.PLANNED, due_at__lt=late).count()),
    ):
        text = (
            _("None is overdue.")
            if not count
            else _("%(count)d are due for over 5 minutes. Do workers and beat run?")
            % {"count": count}
        )
        yield Finding(topic, not count, text)


def _stuck(moment: datetime) -> Iterator[Finding]:
    leases = Message.objects.filter(lease_until__lt=moment - timedelta(minutes=2)).count()
    batches = BatchAttempt.objects.filter(lease_until__lt=moment - timedelta(minutes=2)).count()
    jobs = Job.objects.filter(lease_until__lt=moment - timedelta(minutes=2)).count()
    stuck = leases + batches + jobs
    text = (
        _("No worker left anything behind.")
        if not stuck
        else _("%(count)d claims of dead workers. The reaper should have taken them: is beat up?")
        % {"count": stuck}
    )
    yield Finding(_("Claims"), not stuck, text)


def _set_aside() -> Iterator[Finding]:
    parked = Enrolment.objects.filter(state=Enrolment.State.PARKED).count()
    unknown = Message.objects.filter(state=Message.State.UNKNOWN_PARKED).count()
    events = Event.objects.exclude(problem="").count()
    faults = list(MappingFault.objects.order_by("-last_at")[:3])
    for topic, count, what in (
        (_("Parked runs"), parked, _("Look at them under Triggers > Enrolments and try again.")),
        (_("Unknown outcomes"), unknown, _("Look at them under Triggers > Messages.")),
        (_("Events with problems"), events, _("Look at them under Triggers > Events.")),
    ):
        yield Finding(topic, not count, _("None.") if not count else f"{count}. {what}")
    text = "; ".join(f"{fault.mapping} ({fault.count}): {fault.error[:80]}" for fault in faults)
    yield Finding(_("Mappings"), not faults, text or _("None has failed."))


def _stopped(moment: datetime) -> Iterator[Finding]:
    """What has stopped by itself, or was switched off."""
    rows = Journey.objects.filter(state=Journey.State.PAUSED).exclude(pause_reason="")
    names = list(rows.values_list("name", flat=True)[:5])
    text = (
        _("These have paused themselves: %(names)s. Their pages say why.")
        % {"names": ", ".join(names)}
        if names
        else _("None has paused itself.")
    )
    yield Finding(_("Stopped journeys"), not names, text)
    closed = list(Circuit.objects.filter(bulk_until__gt=moment).values_list("name", flat=True))
    text = (
        _("Most attempts through these fail, so they pause: %(names)s. Is the provider up?")
        % {"names": ", ".join(closed)}
        if closed
        else _("None of them fails most of the time.")
    )
    yield Finding(_("Channels"), not closed, text)


def _published() -> Iterator[Finding]:
    for topic, model in ((_("Journeys"), Journey), (_("Templates"), Template)):
        rows = model._default_manager.exclude(publish_problem="")
        broken = list(rows.values_list("name", flat=True)[:5])
        text = (
            _("Everything is in force as it was published.")
            if not broken
            else _("Published, but not in force, since they have errors: %(names)s.")
            % {"names": ", ".join(broken)}
        )
        yield Finding(topic, not broken, text)


def _snapshots(moment: datetime) -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(xact_start) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        (oldest,) = cursor.fetchone()
    old = oldest is not None and moment - oldest > OLD_SNAPSHOT
    text = (
        _("A transaction is open since %(since)s: it slows the event queue down. End it.")
        % {"since": oldest}
        if old
        else _("No transaction is open for long.")
    )
    yield Finding(_("Database"), not old, text)


def _retention(moment: datetime) -> Iterator[Finding]:
    late = retention.overdue(moment)
    text = (
        _(
            "Not forgotten in time: %(tables)s. Is wagtail_triggers.retention scheduled "
            "(beat_schedule)? Or run: manage.py triggers_retention"
        )
        % {"tables": ", ".join(late)}
        if late
        else _("Nothing is kept for longer than it should be.")
    )
    yield Finding(_("Retention"), not late, text)
