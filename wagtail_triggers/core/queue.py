"""Tell a worker, after commit, that there is work. A hint only: the database holds the truth.

A broker that is slow, dead or silent must never hold up a checkout. So the caller only notes the
task's name; a daemon thread publishes it over a connection of its own with timeouts under a
second, without retry, and keeps quiet for 30 s after a failure. The periodic tick finds whatever
a lost hint announced.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from celery import current_app, current_task
from django.db import transaction

from ..conf import QUEUES, TASK_TICK, settings

logger = logging.getLogger("wagtail_triggers.queue")

#: A silent broker held the naive version for 25 s and more.
CONNECT_TIMEOUT: Final = 0.8
QUIET_AFTER_FAILURE: Final = 30.0
#: Hints of one name within this time become one.
COALESCE_SECONDS: Final = 0.1


class Publisher:
    """Publishes hints from one background thread of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Held while hints are on their way: whoever leaves waits for it.
        self._publishing = threading.Lock()
        self._wanted: set[str] = set()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._quiet_until = 0.0
        self._connection: Any = None
        #: Failures since the process started; `triggers_doctor` shows it for its own process.
        self.failures = 0

    def want(self, task: str) -> None:
        """Note that `task` should be hinted at; returns at once."""
        with self._lock:
            self._wanted.add(task)
            if self._thread is None or self._pid != os.getpid() or not self._thread.is_alive():
                # A fork copies this object but not its thread.
                self._publishing = threading.Lock()
                self._pid = os.getpid()
                self._connection = None
                self._wake = threading.Event()
                self._thread = threading.Thread(
                    target=self._loop, name="triggers-nudge", daemon=True
                )
                self._thread.start()
        self._wake.set()

    def flush(self) -> None:
        """Publish what is noted, now, in the calling thread; behind what is on its way already."""
        with self._publishing:
            with self._lock:
                names, self._wanted = sorted(self._wanted), set()
            for name in names:
                self._publish(name)

    def _loop(self) -> None:
        wake = self._wake
        while True:
            wake.wait()
            wake.clear()
            self.flush()
            time.sleep(COALESCE_SECONDS)

    def _publish(self, task: str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            current_app.send_task(
                task,
                queue=QUEUES.get(task, QUEUES[TASK_TICK]),
                connection=self._connect(),
                retry=False,
                ignore_result=True,
                expires=60,
            )
        except Exception as error:
            # Whatever a broker client raises, the work itself is safe in the database.
            self.failures += 1
            self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE
            self._drop_connection()
            logger.warning(
                "The hint %s did not reach the broker (%s: %s). Nothing is lost: the periodic "
                "tick finds the work. Check CELERY_BROKER_URL. Silent for %d s.",
                task,
                type(error).__name__,
                error,
                QUIET_AFTER_FAILURE,
            )

    def _connect(self) -> Any:
        if self._connection is None:
            options = {
                **(current_app.conf.broker_transport_options or {}),
                "socket_timeout": CONNECT_TIMEOUT,
                "socket_connect_timeout": CONNECT_TIMEOUT,
                "max_retries": 0,
            }
            self._connection = current_app.connection_for_write(
                connect_timeout=CONNECT_TIMEOUT, transport_options=options
            )
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.release()
            except Exception:
                logger.debug("Closing a broken broker connection failed", exc_info=True)


publisher: Final = Publisher()


class _Hint:
    """The on-commit hook of one task; one per transaction, told apart by its name."""

    def __init__(self, task: str) -> None:
        self.task = task

    def __call__(self) -> None:
        if settings.NUDGE == "inline":
            publisher._wanted.add(self.task)
            publisher.flush()
        else:
            publisher.want(self.task)


def nudge(task: str) -> None:
    """Hint at `task` once the current transaction has committed; nothing happens on rollback.

    Args:
        task: A task name of `wagtail_triggers.conf`, such as `TASK_ROUTE`.

    Several calls in one transaction become one hint. Never raises and never waits for the broker.
    """
    if settings.NUDGE == "off":
        return
    connection = transaction.get_connection()
    waiting = getattr(connection, "run_on_commit", ())
    if any(isinstance(entry[1], _Hint) and entry[1].task == task for entry in waiting):
        return
    transaction.on_commit(_Hint(task), robust=True)


def listens_to(task: str) -> bool:
    """Whether the worker that runs the present task also takes this one off its queue.

    Args:
        task: A task name of `wagtail_triggers.conf`.

    Returns:
        False outside a worker.
    """
    request = getattr(current_task, "request", None)
    if request is None or request.called_directly or request.is_eager:
        return False
    return QUEUES[task] in current_app.amqp.queues.consume_from


@dataclass(frozen=True, slots=True)
class Broker:
    """What the host's Celery app is set up to do, for checks and the doctor."""

    url: str
    scheduled: frozenset[str]
    accepts: frozenset[str]


def broker() -> Broker:
    """Read the host's Celery settings; connects to nothing."""
    conf = current_app.conf
    return Broker(
        url=str(conf.broker_url or ""),
        scheduled=frozenset(
            str(entry.get("task")) for entry in (conf.beat_schedule or {}).values()
        ),
        accepts=frozenset(conf.accept_content or ()),
    )


def reach_broker() -> str:
    """Try to reach the broker within a second; returns "" or what went wrong."""
    try:
        with current_app.connection_for_write(connect_timeout=CONNECT_TIMEOUT) as connection:
            connection.ensure_connection(max_retries=1, timeout=CONNECT_TIMEOUT)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@atexit.register
def _flush_at_exit() -> None:
    # A short-lived command would otherwise end before its thread has published anything, or while
    # it does. It takes no longer than the broker's timeouts.
    if publisher._pid == os.getpid():
        publisher.flush()
