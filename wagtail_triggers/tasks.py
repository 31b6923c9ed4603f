"""Celery tasks: hints for a batch. Any of them may be lost, doubled or late; nothing changes.

No task carries data, none uses `countdown` or `eta`, and none returns a result.
"""

from __future__ import annotations

import time
from typing import Any, Final

from celery import shared_task

from .analytics import rollups, step_numbers
from .conf import (
    TASK_JOBS,
    TASK_LIFECYCLE,
    TASK_REAP,
    TASK_RETENTION,
    TASK_ROUTE,
    TASK_RUN,
    TASK_SEND_BULK,
    TASK_SEND_TRANSACTIONAL,
    TASK_TICK,
)
from .core import clock
from .core.queue import listens_to, nudge
from .engine import carts, lifecycle, recovery, retention, scheduler, turns
from .engine.database import run_due
from .engine.jobs.worker import work_batch
from .engine.turns import Stage
from .messages.models import MessageClass
from .messages.policies import rate
from .messages.sender import send_batch

#: One task works for so long, then lets others have a turn. A worker that is asked to stop waits
#: for the task in hand, and should be gone within 10 s.
TURN_SECONDS: Final = 5.0
#: What a worker waits at most for room under a channel's limit; the next tick comes for the rest.
LONGEST_PAUSE: Final = 1.0

#: Of our own tasks, never of the host's app. Without `reject_on_worker_lost`, `acks_late` loses
#: the task of a worker that is killed.
_OPTIONS: Final[dict[str, Any]] = {
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
    "serializer": "json",
    "time_limit": 80,
    "soft_time_limit": 70,
}


def _task(name: str) -> Any:
    # No queue here, which Celery deprecates: hints and beat name it (`QUEUES`).
    return shared_task(name=name, **_OPTIONS)


@_task(TASK_TICK)
def tick() -> None:
    """Look for what is due, and hint at it. Beat calls this every few seconds."""
    scheduler.drain(carts.abandon_batch, seconds=TURN_SECONDS)
    for name in scheduler.due_tasks():
        nudge(name)


@_task(TASK_ROUTE)
def route() -> None:
    """Route what happened, providers' reports included."""
    _turn(_ROUTE)


@_task(TASK_RUN)
def run() -> None:
    """Carry out due runs."""
    _turn(_RUN)


@_task(TASK_SEND_TRANSACTIONAL)
def send_transactional() -> None:
    """Send what people wait for: receipts, shipping, accounts."""
    _turn(_RECEIPTS)


@_task(TASK_SEND_BULK)
def send_bulk() -> None:
    """Send everything else."""
    _turn(Stage(TASK_SEND_BULK, _bulk))


def _bulk() -> int:
    """Send a batch; where a channel's limit holds it up for a moment, wait for that moment."""
    count = send_batch(MessageClass.MARKETING)
    if not count and 0 < (seconds := rate.pause(clock.now())) <= LONGEST_PAUSE:
        time.sleep(seconds)
        count = send_batch(MessageClass.MARKETING)
    return count


@_task(TASK_JOBS)
def jobs() -> None:
    """Carry out what steps have asked for: coupons, calls to other systems."""
    _turn(Stage(TASK_JOBS, work_batch))


@_task(TASK_REAP)
def reap() -> None:
    """Take back what dead workers held; bring the numbers of days and steps up to date."""
    recovery.reap()
    rollups.refresh()
    step_numbers.refresh()


@_task(TASK_LIFECYCLE)
def carry_on() -> None:
    """Go on with what people decided about runs: pauses, resumptions, transfers."""
    _turn(Stage(TASK_LIFECYCLE, lifecycle.carry_on))


@_task(TASK_RETENTION)
def forget() -> None:
    """Delete a slice of what is old."""
    retention.sweep(seconds=2 * TURN_SECONDS)


_ROUTE: Final = Stage(TASK_ROUTE, scheduler.take_in)
_RUN: Final = Stage(TASK_RUN, run_due)
_RECEIPTS: Final = Stage(TASK_SEND_TRANSACTIONAL, lambda: send_batch(MessageClass.TRANSACTIONAL))
#: What a worker does for others while its own batches gather, the most urgent first. Nothing of
#: bulk, nor of other systems: whoever waits for a slow provider there would not route meanwhile.
_MEANWHILE: Final = (_RECEIPTS, _RUN, _ROUTE)


def _turn(own: Stage) -> None:
    """Work until nothing is due, then hint at what this led to and at what is left.

    Whoever finds a full batch calls for one more worker, who does the same: a backlog has all idle
    workers at it within a few batches, instead of one more with each tick.
    """
    done = turns.take(
        own,
        [stage for stage in _MEANWHILE if stage is not own and listens_to(stage.task)],
        seconds=TURN_SECONDS,
        on_full=lambda: nudge(own.task),
    )
    if done:
        for name in scheduler.due_tasks():
            nudge(name)
