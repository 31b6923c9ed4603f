"""Forget what is old, in batches that never lock for long, and never what is alive.

A sweep walks a table from its lowest primary key, a thousand rows at a time, and deletes what may
go in a short transaction of its own. Ids grow with time, so it stops at the first window that is
young: its cost depends on what is old, no index on a time is needed, and it may be stopped and
repeated at any moment, or run twice at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from ..consent.models import FrequencyCap, SendLedger
from ..core import clock
from ..core.locking import engine_transaction, locked, retrying
from ..core.retention import Table, register_table, tables
from ..events.models import Cart, Event
from ..messages.models import Message, MessageEvent, Trial
from .models import Enrolment, Job, Pulse, Refusal, StepRun, Sweep

logger = logging.getLogger("wagtail_triggers.retention")

#: Rows of one transaction: some tens of milliseconds.
CHUNK: Final = 1_000
#: So long after it was due, what is still there was forgotten by us.
GRACE: Final = timedelta(days=2)
#: An event may have happened shortly before the run that it is part of the history of.
BEFORE_ENTRY: Final = timedelta(days=1)
#: Thirteen months: back-tests compare with the same season of last year.
SEASON: Final = 400


@dataclass(slots=True)
class Swept:
    """What a sweep did, or would do, to one table.

    Attributes:
        table: Which.
        rows: How many rows went, or were emptied.
        finished: Whether it came to the end of what is old.
    """

    table: Table
    rows: int = 0
    finished: bool = False


def sweep(*, seconds: float = 40.0, chunk: int = CHUNK, dry_run: bool = False) -> list[Swept]:
    """Sweep every table, a chunk of each in turn, until nothing old is left or the time is over.

    Args:
        seconds: When to stop, although there is more to do.
        chunk: Rows looked at in one transaction.
        dry_run: Only count.

    Raises:
        ConfigurationError: The setting holds what cannot be a time.
    """
    moment = clock.now()
    ends = time.monotonic() + seconds
    found = [Swept(table) for table in tables.all().values() if table.keep is not None]
    walks = [(one, _walk(one, moment, chunk, dry_run)) for one in found]
    while walks and time.monotonic() < ends:
        for one, walk in list(walks):
            if next(walk, None) is None:
                one.finished = True
                walks.remove((one, walk))
    for one in found:
        if one.rows and not dry_run:
            logger.info("Retention: %d rows of %s", one.rows, one.table.name)
    return found


def _walk(swept: Swept, moment: datetime, chunk: int, dry_run: bool) -> Iterator[int]:
    """Sweep one table; yields after each window."""
    table = swept.table
    assert table.keep is not None  # noqa: S101 - the caller has looked
    before = moment - table.keep
    position = _reached(table)
    while True:
        window = _window(table, position, chunk)
        old = [pk for pk, at in window if at < before]
        if old:
            swept.rows += _count(table, old, before) if dry_run else _forget(table, old, before)
        if not window or (table.grows and not old):
            return
        position = window[-1][0]
        if table.blank and not dry_run:
            _remember(table, old, moment)
        yield len(old)


def _window(table: Table, position: int, chunk: int) -> list[tuple[int, datetime]]:
    rows = table.model._default_manager.filter(pk__gt=position).order_by("pk")
    return list(rows.values_list("pk", table.time)[:chunk])


def _may_go(table: Table, ids: list[int], before: datetime) -> QuerySet[Any]:
    rows = table.model._default_manager.filter(pk__in=ids, **{f"{table.time}__lt": before})
    return table.may_go(rows, before)


def _count(table: Table, ids: list[int], before: datetime) -> int:
    return _may_go(table, ids, before).count()


@retrying
def _forget(table: Table, ids: list[int], before: datetime) -> int:
    with engine_transaction():
        rows = locked(_may_go(table, ids, before), skip_locked=True)
        going = list(rows.order_by("pk").values_list("pk", flat=True))
        found = table.model._default_manager.filter(pk__in=going)
        if table.blank:
            return found.update(**table.blank)
        found.delete()
        return len(going)


def _reached(table: Table) -> int:
    """Where an earlier sweep came to: rows that stay would be walked over again each time."""
    if not table.blank:
        return 0
    rows = Sweep.objects.filter(table=table.name).values_list("reached", flat=True)
    return rows.first() or 0


def _remember(table: Table, old: list[int], moment: datetime) -> None:
    if old:
        Sweep.objects.update_or_create(
            table=table.name, defaults={"reached": old[-1], "swept_at": moment}
        )


def overdue(moment: datetime) -> list[str]:
    """Names of tables in which something should have gone days ago; one or two look-ups each."""
    late = []
    for table in tables.all().values():
        if table.keep is None:
            continue
        before = moment - table.keep - GRACE
        window = _window(table, _reached(table), CHUNK)
        old = [pk for pk, at in window if at < before]
        if old and _may_go(table, old, before).exists():
            late.append(table.name)
    return late


def _alive(**conditions: Any) -> Exists:
    return Exists(Enrolment.objects.filter(state__in=Enrolment.ALIVE, **conditions))


def _events(rows: QuerySet[Event], before: datetime) -> QuerySet[Event]:
    """Routed, and not looked back to by a run or a message that is still on its way."""
    pending = Message.objects.filter(event_id=OuterRef("pk")).exclude(state__in=Message.TERMINAL)
    history = _alive(
        contact_id=OuterRef("contact_id"),
        entered_at__lte=OuterRef("recorded_at") + BEFORE_ENTRY,
    )
    return rows.filter(
        ~_alive(event_id=OuterRef("pk")), ~history, ~Exists(pending), routed_at__isnull=False
    )


def _reports(rows: QuerySet[MessageEvent], before: datetime) -> QuerySet[MessageEvent]:
    return rows.filter(due_at__isnull=True)


def _of_ended_runs(rows: QuerySet[Any], before: datetime) -> QuerySet[Any]:
    return rows.filter(~_alive(pk=OuterRef("enrolment_id")))


def _jobs(rows: QuerySet[Job], before: datetime) -> QuerySet[Job]:
    ended: QuerySet[Job] = _of_ended_runs(rows, before)
    return ended.exclude(state__in=Job.PENDING)


def _pulses(rows: QuerySet[Pulse], before: datetime) -> QuerySet[Pulse]:
    return rows


def _all(rows: QuerySet[Any], before: datetime) -> QuerySet[Any]:
    return rows


def _permits(rows: QuerySet[SendLedger], before: datetime) -> QuerySet[SendLedger]:
    """Of messages that are over, and that no frequency cap counts any more."""
    pending = Message.objects.filter(pk=OuterRef("message_id")).exclude(state__in=Message.TERMINAL)
    longest = max((cap.window for cap in FrequencyCap.objects.all()), default=timedelta(0))
    return rows.filter(~Exists(pending), at__lt=clock.now() - longest)


def _messages(rows: QuerySet[Message], before: datetime) -> QuerySet[Message]:
    ended: QuerySet[Message] = _of_ended_runs(rows, before)
    return ended.filter(state__in=Message.TERMINAL, settled_at__lt=before)


def _contents(rows: QuerySet[Message], before: datetime) -> QuerySet[Message]:
    return rows.filter(state__in=Message.TERMINAL)


def _carts(rows: QuerySet[Cart], before: datetime) -> QuerySet[Cart]:
    pending = Message.objects.filter(
        contact_id=OuterRef("contact_id"), subject_kind="cart", subject_id=OuterRef("cart_id")
    ).exclude(state__in=Message.TERMINAL)
    return rows.filter(
        ~_alive(contact_id=OuterRef("contact_id")), ~Exists(pending), abandon_at__isnull=True
    )


for _table in (
    Table("events", Event, "recorded_at", SEASON, _events),
    Table("carts", Cart, "updated_at", SEASON, _carts, grows=False),
    Table("steps", StepRun, "at", SEASON, _of_ended_runs),
    Table("jobs", Job, "created_at", SEASON, _jobs),
    Table("refusals", Refusal, "at", 90, _all),
    Table("pulses", Pulse, "at", 7, _pulses),
    Table("permits", SendLedger, "at", SEASON, _permits),
    Table("reports", MessageEvent, "recorded_at", SEASON, _reports),
    Table("message_contents", Message, "planned_at", SEASON, _contents, blank={"context": {}}),
    Table("messages", Message, "planned_at", None, _messages),
    Table("trials", Trial, "created_at", 90, _all),
):
    register_table(_table)
