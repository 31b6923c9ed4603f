"""A worker's turn: it calls for help once there is more than a batch, and hints at what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from wagtail_triggers import tasks
from wagtail_triggers.conf import TASK_ROUTE
from wagtail_triggers.core.queue import listens_to
from wagtail_triggers.engine import scheduler, turns
from wagtail_triggers.engine.turns import Stage

pytestmark = pytest.mark.django_db


class Time:
    """Time that passes only while somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture(autouse=True)
def passing(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Nobody waits in these tests."""
    made = Time()
    monkeypatch.setattr(turns, "time", made)
    return made


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hinted at; nothing else is due."""
    names: list[str] = []
    monkeypatch.setattr(tasks, "nudge", names.append)
    monkeypatch.setattr(scheduler, "due_tasks", lambda: ["what it led to"])
    return names


def batches(*sizes: int) -> Callable[[], int]:
    """A step that does so much each time."""
    left: Iterator[int] = iter([*sizes, 0])
    return lambda: next(left)


@pytest.mark.parametrize(
    ("sizes", "hints"),
    [
        ((), []),
        ((49, 49), ["what it led to"]),
        ((50,), [TASK_ROUTE, "what it led to"]),
        ((3, 200, 200, 200), [TASK_ROUTE, "what it led to"]),
    ],
)
def test_turn_calls_for_one_more_worker_after_its_first_full_batch(
    sizes: tuple[int, ...], hints: list[str], hinted: list[str]
) -> None:
    tasks._turn(Stage(TASK_ROUTE, batches(*sizes)))
    assert hinted == hints


def test_turn_sleeps_only_after_batches_that_are_not_full(passing: Time) -> None:
    assert turns.take(Stage("route", batches(200, 3, 50, 1)), seconds=5) == 254
    assert passing.slept == [0.25, 0.25]


def test_turn_does_what_others_have_to_do_while_its_own_batches_gather(passing: Time) -> None:
    order: list[str] = []

    def stage(name: str, takes: float, *sizes: int) -> Stage:
        step = batches(*sizes, *([0] * 9))

        def noted() -> int:
            passing.now += takes
            order.append(name)
            return step()

        return Stage(name, noted)

    own = stage("route", 0.0, 3, 4)
    others = [stage("send", 0.05, 50, 2), stage("run", 0.02, 3)]
    assert turns.take(own, others, seconds=5) == 62
    # What is full is followed by its next batch; what is not gathers too.
    assert order == ["route", "send", "send", "run", "route", "send", "run", "route"]
    assert passing.slept == [0.13, 0.18]


def test_turn_ends_in_time_whatever_others_have_to_do(passing: Time) -> None:
    def endless() -> int:
        passing.now += 0.1
        return 50

    turns.take(Stage("route", lambda: 1), [Stage("send", endless)], seconds=1)
    assert passing.now == pytest.approx(101, abs=0.11)


def test_process_that_is_no_worker_listens_to_nothing() -> None:
    assert listens_to(TASK_ROUTE) is False
