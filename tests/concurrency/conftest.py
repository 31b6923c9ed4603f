"""These tests need row locks and connections of their own: PostgreSQL, and tests that commit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.settings import DATABASE_KIND
from tests.shop import POSTAL_ADDRESS
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outgoing

HERE = Path(__file__).parent
NO_POSTGRES = (
    "SQLite has one writer and no row locks, so there is nothing to race. "
    "Run with TRIGGERS_TEST_DB=postgres."
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is in this folder on SQLite."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.postgres)
            if DATABASE_KIND != "postgres":
                item.add_marker(pytest.mark.skip(reason=NO_POSTGRES))


@pytest.fixture
def outbox(transactional_db: None) -> Iterator[list[Outgoing]]:
    """What was handed over, twice if it was handed over twice; no hints are published."""
    channel = {
        "BACKEND": "wagtail_triggers.messages.channels.memory.MemoryChannel",
        "OPTIONS": {"identifier": "email", "idempotent": False},
    }
    memory.clear()
    with override_settings(
        WAGTAIL_TRIGGERS_CHANNELS={"email": channel},
        WAGTAIL_TRIGGERS_NUDGE="off",
        WAGTAIL_TRIGGERS_POSTAL_ADDRESS=POSTAL_ADDRESS,
    ):
        yield memory.outbox
    memory.clear()
