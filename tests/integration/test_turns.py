"""A worker's turn: it calls for help once there is more than a batch, and hints at what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from wagtail_triggers import tasks
from wagtail_triggers.conf import TASK_ROUTE
from wagtail_triggers.engine import scheduler

pytestmark = pytest.mark.django_db


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hinted at; nothing else is due, and nobody waits."""
    names: list[str] = []
    monkeypatch.setattr(tasks, "nudge", names.append)
    monkeypatch.setattr(scheduler, "due_tasks", lambda: ["what it led to"])
    monkeypatch.setattr(tasks, "GATHER_SECONDS", 0.0)
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
    tasks._turn(TASK_ROUTE, batches(*sizes))
    assert hinted == hints
