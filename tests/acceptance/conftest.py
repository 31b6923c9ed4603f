"""The core path, from an event to a message, on the test clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.shop import POSTAL_ADDRESS
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.testing import captured_messages, travelling


@pytest.fixture
def clock(db: None) -> Iterator[FrozenClock]:
    """Noon of a Friday in May; `clock.travel(...)` moves on."""
    with travelling("2026-05-01 12:00") as moving:
        yield moving


@pytest.fixture
def outbox(db: None, settings: Settings) -> Iterator[list[Outgoing]]:
    """What was sent, in order."""
    settings.WAGTAIL_TRIGGERS_POSTAL_ADDRESS = POSTAL_ADDRESS
    with captured_messages() as sent:
        yield sent
