"""Wait: holds the run until the time has passed; golden moments stand in test_durations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.clock_times import jitter_of
from wagtail_triggers.journeys.durations import Duration
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


def test_wait_with_jitter_gives_each_run_its_own_share_and_always_the_same() -> None:
    step = WaitStep(
        WaitSettings.model_validate(
            {"amount": 1, "unit": "hours", "jitter": {"amount": 30, "unit": "minutes"}}
        )
    )
    ends = {}
    for number in range(500):
        one = replace(run(), enrolment_id=number, node="w")
        (first, again) = (step.decide(one), step.decide(replace(one, seq=9, waiting=True)))
        assert first == again
        assert isinstance(first, WaitUntil)
        ends[number] = first.at - NOON
    assert min(ends.values()) >= timedelta(hours=1)
    assert max(ends.values()) <= timedelta(hours=1, minutes=30)
    assert len(set(ends.values())) > 400
    mean = sum(ends.values(), timedelta()) / len(ends)
    assert timedelta(hours=1, minutes=14) < mean < timedelta(hours=1, minutes=16)
    later = replace(run(moment=NOON + ends[7]), enrolment_id=7, node="w")
    assert step.decide(later) == Advance("next")
    assert step.describe(World()) == "Wait 1 hour, and up to 30 minutes more"


def test_wait_at_two_nodes_draws_each_share_anew() -> None:
    jitter = Duration(amount=1, unit="days")
    assert jitter_of(jitter, 1, "a") != jitter_of(jitter, 1, "b")
    assert jitter_of(None, 1, "a") == timedelta()
