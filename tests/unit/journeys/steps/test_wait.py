"""Wait: holds the run until the time has passed; golden moments stand in test_durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.decisions import Advance, WaitUntil
from wagtail_triggers.journeys.steps.wait import WaitSettings, WaitStep

from ..world import NOON, World, run


def wait(amount: int, unit: str) -> WaitStep:
    return WaitStep(WaitSettings.model_validate({"amount": amount, "unit": unit}))


@pytest.mark.parametrize(
    ("later", "decision"),
    [
        (timedelta(), WaitUntil(NOON + timedelta(hours=1))),
        (timedelta(minutes=59, seconds=59), WaitUntil(NOON + timedelta(hours=1))),
        (timedelta(hours=1), Advance("next")),
        (timedelta(days=30), Advance("next")),
    ],
)
def test_wait_asked_again_decides_from_when_the_run_arrived(
    later: timedelta, decision: object
) -> None:
    assert wait(1, "hours").decide(run(moment=NOON + later)) == decision


def test_wait_of_a_day_over_the_change_of_clocks_keeps_the_wall_clock() -> None:
    arrived = datetime(2026, 3, 28, 11, tzinfo=UTC)  # noon in Berlin, the day before
    got = wait(1, "days").decide(run(arrived_at=arrived, moment=arrived))
    assert got == WaitUntil(datetime(2026, 3, 29, 10, tzinfo=UTC))


def test_wait_takes_time() -> None:
    assert WaitStep.takes_time is True


def test_wait_in_words_says_how_long() -> None:
    assert wait(1, "days").describe(World()) == "Wait 1 day"


@pytest.mark.parametrize(("amount", "unit"), [(0, "days"), (1, "fortnights")])
def test_wait_settings_out_of_form_are_refused(amount: int, unit: str) -> None:
    with pytest.raises(ValidationError):
        wait(amount, unit)
