"""Helpers for the tests of hosts: a clock that travels, a channel that remembers, no broker.

::

    @pytest.mark.django_db
    def test_a_forgotten_cart_is_remembered(cart):
        with travelling("2026-05-01 12:00") as clock, captured_messages() as outbox:
            track("cart_updated", contact=Who(email="ada@example.com"), payload=...)
            run_until_idle()
            clock.travel(timedelta(hours=1))
            run_until_idle()
        assert [message.subject for message in outbox] == ["You left something behind"]
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.test import override_settings

from .core.clock import FrozenClock, frozen
from .engine.scheduler import Work, work_through
from .messages.channels import memory
from .messages.channels.base import Outgoing

__all__ = ["captured_messages", "run_until_idle", "travelling"]


@contextmanager
def travelling(moment: datetime | str) -> Iterator[FrozenClock]:
    """Stand still at `moment` (aware, or ISO 8601 taken as UTC) and travel from there.

    Yields:
        The clock; `clock.travel(timedelta(...))` moves it on.
    """
    if isinstance(moment, str):
        parsed = datetime.fromisoformat(moment)
        moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    with frozen(moment) as clock:
        yield clock


@contextmanager
def captured_messages() -> Iterator[list[Outgoing]]:
    """Keep every message in memory instead of sending it, and publish no hints.

    Yields:
        What was sent, in order; it fills up while the block runs, and stays until the next one.
    """
    channels = {
        "email": {
            "BACKEND": "wagtail_triggers.messages.channels.memory.MemoryChannel",
            "OPTIONS": {"identifier": "email"},
        }
    }
    memory.clear()
    with override_settings(WAGTAIL_TRIGGERS_CHANNELS=channels, WAGTAIL_TRIGGERS_NUDGE="off"):
        yield memory.outbox


def run_until_idle(*, seconds: float = 30.0) -> Work:
    """Route, run and send until nothing is due at the present moment.

    Returns:
        How much was done.
    """
    return work_through(seconds=seconds)
