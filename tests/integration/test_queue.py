"""Hints: one per transaction and task, after the commit, and never a reason to fail."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tests.shop import line, order
from wagtail_triggers.conf import QUEUES, TASK_ROUTE, TASK_RUN, TASK_TICK, beat_schedule
from wagtail_triggers.core import queue
from wagtail_triggers.core.queue import Publisher, broker, nudge
from wagtail_triggers.engine.scheduler import due_tasks
from wagtail_triggers.events.models import Event

pytestmark = pytest.mark.django_db


class FakeApp:
    """A Celery app that remembers, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.conf = type("Conf", (), {"broker_transport_options": {"global_keyprefix": "x"}})()
        self.connections: list[dict[str, Any]] = []

    def send_task(self, name: str, **options: Any) -> None:
        """Remember."""
        if self.error is not None:
            raise self.error
        self.sent.append((name, options))

    def connection_for_write(self, **options: Any) -> Any:
        """A connection that can be given up."""
        self.connections.append(options)
        return type("Connection", (), {"release": lambda self: None})()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FakeApp:
    """The app in force, with a publisher that has not failed yet."""
    fake = FakeApp()
    monkeypatch.setattr(queue, "current_app", fake)
    monkeypatch.setattr(queue, "publisher", Publisher())
    settings.WAGTAIL_TRIGGERS_NUDGE = "inline"
    return fake


Capture = DjangoCaptureOnCommitCallbacks


def test_hints_of_one_task_in_one_commit_become_one(
    app: FakeApp, monkeypatch: pytest.MonkeyPatch, settings: Settings,
    django_capture_on_commit_callbacks: Capture,
) -> None:  # fmt: skip
    settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    wanted: list[str] = []
    monkeypatch.setattr(queue.publisher, "want", wanted.append)
    with django_capture_on_commit_callbacks(execute=True):
        for task in (TASK_ROUTE, TASK_ROUTE, TASK_RUN):
            nudge(task)
        assert wanted == []
    assert set(wanted) == {TASK_ROUTE, TASK_RUN}


def test_hint_goes_to_its_queue_over_a_connection_with_short_timeouts(
    app: FakeApp, django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        nudge(TASK_RUN)
    ((name, options),) = app.sent
    assert (name, options["queue"]) == (TASK_RUN, QUEUES[TASK_RUN])
    assert (options["retry"], options["ignore_result"]) == (False, True)
    assert not {"args", "kwargs", "countdown", "eta"} & set(options)
    (connection,) = app.connections
    assert connection["connect_timeout"] < 1
    transport = connection["transport_options"]
    assert transport["socket_timeout"] < 1
    assert transport["global_keyprefix"] == "x"  # the host's own options are kept


def test_broker_that_fails_is_logged_counted_and_left_alone_for_a_while(
    app: FakeApp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Capture,
) -> None:  # fmt: skip
    app.error = ConnectionResetError("gone")
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        order("1", line())
    assert Event.objects.count() == 1
    assert queue.publisher.failures == 1
    assert "Check CELERY_BROKER_URL" in caplog.text
    app.error = None
    with django_capture_on_commit_callbacks(execute=True):
        nudge(TASK_RUN)
    assert app.sent == []
    monkeypatch.setattr(queue.publisher, "_quiet_until", 0.0)
    with django_capture_on_commit_callbacks(execute=True):
        nudge(TASK_TICK)
    assert [name for name, _options in app.sent] == [TASK_TICK]
    assert len(app.connections) == 2  # the broken one was given up


def test_hints_that_are_switched_off_reach_for_nothing(
    app: FakeApp, settings: Settings, django_capture_on_commit_callbacks: Capture
) -> None:
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        order("1", line())
    assert callbacks == []
    assert (app.sent, app.connections) == ([], [])


def test_hint_of_a_rolled_back_savepoint_is_not_given(
    app: FakeApp, django_capture_on_commit_callbacks: Capture
) -> None:
    def fails() -> None:
        with transaction.atomic():
            order("1", line())
            raise LookupError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(LookupError):
        fails()
    assert app.sent == []


def test_tick_names_the_tasks_that_have_work(app: FakeApp) -> None:
    assert due_tasks() == []
    order("1", line())
    assert due_tasks() == [TASK_ROUTE]


def test_beat_schedule_names_tasks_and_queues_that_exist() -> None:
    schedule = beat_schedule(tick_seconds=7)
    assert schedule["wagtail-triggers-tick"]["schedule"] == 7
    for entry in schedule.values():
        assert entry["options"]["queue"] == QUEUES[entry["task"]]
    assert TASK_TICK not in broker().scheduled  # the test project has no beat


def test_every_task_is_registered_under_its_stable_name_with_safe_options() -> None:
    from tests.celery_app import app as celery

    celery.loader.import_default_modules()
    for name, queue_name in QUEUES.items():
        task = celery.tasks[name]
        assert (task.acks_late, task.reject_on_worker_lost, task.ignore_result) == (True,) * 3
        assert task.time_limit < 90
        assert queue_name.startswith("triggers-")
