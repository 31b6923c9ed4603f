"""Look for what is due, and do it: the tick, with or without Celery."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..conf import (
    TASK_JOBS,
    TASK_LIFECYCLE,
    TASK_ROUTE,
    TASK_RUN,
    TASK_SEND_BULK,
    TASK_SEND_TRANSACTIONAL,
)
from ..core import clock
from ..events.models import Event
from ..messages import report_effects
from ..messages.models import Message, MessageClass
from ..messages.sender import send_batch
from . import lifecycle
from .carts import abandon_batch
from .database import run_due
from .jobs.worker import work_batch
from .models import Enrolment, Job
from .recovery import reap
from .router import route_batch

#: A batch that did so much is worth its statements, and the next one follows at once.
FULL: Final = 50


@dataclass(frozen=True, slots=True)
class Work:
    """How much was done, by sort."""

    carts: int = 0
    events: int = 0
    runs: int = 0
    messages: int = 0
    reports: int = 0
    jobs: int = 0

    @property
    def total(self) -> int:
        """Everything together; 0 means that nothing was due."""
        return self.carts + self.events + self.runs + self.messages + self.reports + self.jobs


def due_tasks() -> list[str]:
    """Names of the tasks for which there is work, the most urgent first; a few cheap look-ups."""
    moment = clock.now()
    found = []
    waiting = Message.objects.filter(due_at__lte=moment, state__in=Message.WAITING)
    if waiting.filter(message_class=MessageClass.TRANSACTIONAL).exists():
        found.append(TASK_SEND_TRANSACTIONAL)
    if Event.objects.filter(routed_at=None).exists() or report_effects.due():
        found.append(TASK_ROUTE)
    if Enrolment.objects.filter(wake_at__lte=moment, state=Enrolment.State.ACTIVE).exists():
        found.append(TASK_RUN)
    if Job.objects.filter(due_at__lte=moment, state=Job.State.PLANNED).exists():
        found.append(TASK_JOBS)
    if lifecycle.is_open():
        found.append(TASK_LIFECYCLE)
    if waiting.filter(message_class=MessageClass.MARKETING).exists():
        found.append(TASK_SEND_BULK)
    return found


def take_in() -> int:
    """Do one batch of what came in: providers' reports first, since they become events."""
    return report_effects.apply_batch() + route_batch()


def drain(
    step: Callable[[], int],
    *,
    seconds: float,
    gather: float = 0.0,
    on_full: Callable[[], None] | None = None,
) -> int:
    """Repeat a batch until it finds nothing or the time is over; returns what it did in all.

    Args:
        step: Does one batch, and says how much it did.
        seconds: When to stop, although there is more to do.
        gather: Seconds to wait between batches that are not full. A batch costs the same twenty
            statements for one row as for many, and what comes in one by one would be done so.
        on_full: Called once, after the first batch that was full: there is more than one batch.
    """
    ends = time.monotonic() + seconds
    done = 0
    while True:
        count = step()
        done += count
        if on_full is not None and count >= FULL:
            on_full()
            on_full = None
        if count == 0 or time.monotonic() >= ends:
            return done
        if gather and count < FULL:
            time.sleep(gather)


def work_through(*, seconds: float = 50.0) -> Work:
    """Do everything that is due in this process, in order; for hosts without workers, and tests.

    Args:
        seconds: When to stop, although there is more to do.
    """
    ends = time.monotonic() + seconds
    total = Work(events=reap().late_events)
    while True:
        done = Work(
            carts=abandon_batch(),
            reports=report_effects.apply_batch(),
            events=route_batch(),
            runs=run_due(),
            jobs=work_batch(),
            messages=send_batch(MessageClass.TRANSACTIONAL) + send_batch(MessageClass.MARKETING),
        )
        total = Work(
            total.carts + done.carts,
            total.events + done.events,
            total.runs + done.runs,
            total.messages + done.messages,
            total.reports + done.reports,
            total.jobs + done.jobs,
        )
        if done.total == 0 or time.monotonic() >= ends:
            return total
