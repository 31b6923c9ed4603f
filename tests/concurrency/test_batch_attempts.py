"""A batch that dies does not die for ever: its rows are tried singly, and the guilty one is set
aside.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from tests.concurrency.dying_worker import POISON
from tests.concurrency.people import enrolled, people, who
from tests.shop import journey, line, order
from wagtail_triggers.core import clock
from wagtail_triggers.engine import attempts
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import BatchAttempt, Enrolment, StepRun
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

KILLED = -signal.SIGKILL


class Worker:
    """A process whose every piece of work runs in a fork of its own."""

    def __init__(self) -> None:
        database = str(connection.settings_dict["NAME"])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.dying_worker", database],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"

    def __call__(self, work: str) -> int:
        """Carry out `run`, `route` or `reap`; its exit status, -9 if it was killed."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{work}\n")
        self.process.stdin.flush()
        return int(str(self._answer()))

    def _answer(self) -> object:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """Stop it."""
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def process(django_db_setup: None) -> Iterator[Worker]:
    """It takes seconds to start, and keeps nothing of a test: only its forks connect."""
    one = Worker()
    yield one
    one.close()


@pytest.fixture
def worker(outbox: list[Outgoing], process: Worker) -> Worker:
    """A worker that dies whenever it touches the poison."""
    return process


def waiting() -> Journey:
    """A journey in which everybody waits."""
    return journey("Waiting", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
    ])  # fmt: skip


def leases_end() -> None:
    """As if the lease of every dead worker had run out."""
    BatchAttempt.objects.update(lease_until=clock.now() - timedelta(seconds=1))


def test_batch_that_dies_is_tried_singly_until_the_guilty_run_is_parked(worker: Worker) -> None:
    runs = enrolled(waiting(), people(5))
    poison, *healthy = runs  # the first in every order, so that the others wait behind it
    Enrolment.objects.filter(pk=poison.pk).update(key=POISON)
    assert worker("run") == KILLED
    assert StepRun.objects.count() == 0
    (note,) = BatchAttempt.objects.all()
    assert note.ids == sorted(run.pk for run in runs)
    # Alive or dead, nobody else touches them before the lease is over; then nobody but the reaper.
    assert run_due() == 0
    fates, tries = [], []
    moved_after = 0
    for _round in range(6):
        leases_end()
        fates.append(worker("reap"))
        poison.refresh_from_db()
        tries.append(poison.tries)
        if not moved_after and StepRun.objects.count() == len(healthy):
            moved_after = len(fates)
        if poison.state == Enrolment.State.PARKED:
            break
    assert fates == [KILLED, KILLED, KILLED, 0]
    assert tries == [1, 2, 3, 4]
    assert moved_after <= 2, "the others wait for the guilty one"
    assert (poison.wake_at, poison.reason) == (
        None, "The worker died three times at this step.",
    )  # fmt: skip
    rows = Enrolment.objects.filter(pk__in=[run.pk for run in healthy])
    assert set(rows.values_list("state", "tries", "seq")) == {("active", 0, 1)}
    assert not BatchAttempt.objects.exists()


def test_events_of_a_batch_that_dies_are_routed_singly_until_the_guilty_one_is_set_aside(
    worker: Worker,
) -> None:
    waiting()
    guilty, *others = people(4)
    order("poison", line(), who=who(guilty))
    for number, row in enumerate(others):
        order(str(number), line(), who=who(row))
    assert worker("route") == KILLED
    assert Event.objects.filter(routed_at=None).count() == 4
    fates = []
    for _round in range(6):
        leases_end()
        fates.append(worker("reap"))
        assert Enrolment.objects.count() == (0 if len(fates) == 1 else 3), "the others wait"
        if not Event.objects.filter(routed_at=None).exists():
            break
    assert fates == [KILLED, KILLED, KILLED, 0]
    event = Event.objects.get(key="poison")
    assert event.problem == "The worker that routed this event died."
    assert event.tries == 4
    assert Enrolment.objects.count() == 3
    order("5", line(), who=who(guilty))  # what comes after it is not held up
    assert route_batch() == 1
    assert not BatchAttempt.objects.exists()


def test_counter_inside_the_batchs_own_transaction_would_stay_at_0(worker: Worker) -> None:
    """Why the note is committed first: the crash takes everything in the transaction with it."""
    (poison,) = enrolled(waiting(), people(1))
    Enrolment.objects.filter(pk=poison.pk).update(key=POISON)
    for _time in range(3):
        assert worker("run") == KILLED
        attempts.done(BatchAttempt.objects.get())  # as if there had been none
        poison.refresh_from_db()
        assert poison.tries == 0


def test_batch_that_lives_leaves_no_note(outbox: list[Outgoing]) -> None:
    enrolled(waiting(), people(3))
    assert run_due() == 3
    assert not BatchAttempt.objects.exists()
    assert reap().batches == 0
