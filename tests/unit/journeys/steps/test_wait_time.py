"""Wait until a time of day; golden moments stand in `golden_waits`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.decisions import Advance, WaitUntil
from wagtail_triggers.journeys.steps.wait_time import WaitTimeSettings, WaitTimeStep

from ..world import NOON, World, run


def step(**settings: Any) -> WaitTimeStep:
    return WaitTimeStep(WaitTimeSettings.model_validate({"at": "09:00", **settings}))


def test_wait_time_of_a_person_who_moves_is_the_nine_oclock_where_they_live_now() -> None:
    here = run()
    assert step().decide(here) == WaitUntil(datetime(2026, 5, 2, 7, tzinfo=UTC))
    moved = replace(here, time_zone=ZoneInfo("America/New_York"), waiting=True)
    assert step().decide(moved) == WaitUntil(datetime(2026, 5, 1, 13, tzinfo=UTC))
    assert step().wakes_on() == {"user_updated", "contact_changed"}


def test_wait_time_asked_hours_late_goes_on() -> None:
    late = run(moment=datetime(2026, 5, 3, 12, tzinfo=UTC), arrived_at=NOON)
    assert step().decide(late) == Advance("next")


def test_wait_time_takes_time_since_the_moment_of_arrival_never_counts() -> None:
    assert WaitTimeStep.takes_time is True
    nine = datetime(2026, 5, 1, 7, tzinfo=UTC)
    assert step().decide(run(moment=nine, arrived_at=nine)) == WaitUntil(
        datetime(2026, 5, 2, 7, tzinfo=UTC)
    )


def test_wait_time_in_words_says_when() -> None:
    assert step().describe(World()) == "Wait until 9 a.m."
    assert (
        step(weekdays=["fri", "mon"], days=2).describe(World())
        == "Wait until 9 a.m. on Monday, Friday, not before 2 days have passed"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"at": "9:00"},
        {"at": "24:00"},
        {"at": "09:60"},
        {"at": "09:00\n"},
        {"at": None},
        {"weekdays": ["monday"]},
        {"weekdays": ["mon"] * 8},
        {"days": -1},
        {"days": 1.5},
        {"zone": "Europe/Berlin"},
    ],
)
def test_wait_time_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        step(**settings)
