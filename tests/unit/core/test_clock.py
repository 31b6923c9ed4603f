"""The one clock, where it needs no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from wagtail_triggers.core import clock
from wagtail_triggers.core.clock import FrozenClock, frozen

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_frozen_clock_stands_still_until_it_is_moved() -> None:
    with frozen(NOON) as bound:
        assert clock.now() == clock.now() == NOON
        bound.travel(timedelta(days=1))
        assert clock.now() == NOON + timedelta(days=1)
        assert clock.expression().value == clock.now()


def test_frozen_clocks_nest_and_come_undone() -> None:
    with frozen(NOON):
        with frozen(NOON + timedelta(hours=1)):
            assert clock.now().hour == 13
        assert clock.now() == NOON


def test_frozen_clock_keeps_utc() -> None:
    east = datetime(2026, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    with frozen(east):
        assert clock.now() == NOON
        assert clock.now().tzinfo is UTC


def test_naive_moment_is_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match=r"Write datetime\(2026, 5, 1, 12, tzinfo=UTC\)"):
        FrozenClock(datetime(2026, 5, 1, 12))  # noqa: DTZ001 - that is what is refused
