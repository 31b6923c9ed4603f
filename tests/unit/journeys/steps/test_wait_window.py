"""Wait for a window; golden moments stand in `golden_waits`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.decisions import Advance, WaitUntil
from wagtail_triggers.journeys.steps.wait_window import WaitWindowSettings, WaitWindowStep

from ..world import BERLIN, World, run

OFFICE = {"from": "09:00", "to": "18:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}


def step(*windows: dict[str, Any], **more: Any) -> WaitWindowStep:
    settings = {"windows": list(windows) or [OFFICE], **more}
    return WaitWindowStep(WaitWindowSettings.model_validate(settings))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_wait_window_of_several_takes_the_one_that_opens_first() -> None:
    morning, evening = {"from": "07:00", "to": "08:00"}, {"from": "19:00", "to": "20:00"}
    noon = local("2026-05-01T12:00")
    both = step(morning, evening)
    assert both.decide(run(arrived_at=noon, moment=noon)) == WaitUntil(local("2026-05-01T19:00"))
    late = local("2026-05-01T20:00")
    assert both.decide(run(arrived_at=late, moment=late)) == WaitUntil(local("2026-05-02T07:00"))


def test_wait_window_that_has_closed_again_before_the_run_was_asked_holds_to_the_next() -> None:
    asked = run(arrived_at=local("2026-05-01T05:00"), moment=local("2026-05-01T19:00"))
    assert step().decide(asked) == WaitUntil(local("2026-05-04T09:00"))


def test_wait_window_jitter_spreads_those_who_waited_and_nobody_who_came_in_time() -> None:
    spread = step(jitter={"amount": 30, "unit": "minutes"})
    inside = local("2026-05-01T12:00")
    assert spread.decide(run(arrived_at=inside, moment=inside)) == Advance("next")
    ends = set()
    for number in range(200):
        early = local("2026-05-01T05:00")
        one = replace(run(arrived_at=early, moment=early), enrolment_id=number)
        decision = spread.decide(one)
        assert isinstance(decision, WaitUntil)
        ends.add(decision.at)
        woken = replace(one, moment=decision.at - timedelta(seconds=1), waiting=True)
        assert spread.decide(woken) == (decision if woken.moment < decision.at else None)
        assert spread.decide(replace(one, moment=decision.at)) == Advance("next")
    assert local("2026-05-01T09:00") <= min(ends) < max(ends) <= local("2026-05-01T09:30")
    assert len(ends) > 150


def test_wait_window_jitter_never_leads_past_the_end_of_the_window() -> None:
    short = step({"from": "09:00", "to": "09:01"}, jitter={"amount": 5, "unit": "hours"})
    for number in range(50):
        early = local("2026-05-01T05:00")
        decision = short.decide(replace(run(arrived_at=early, moment=early), enrolment_id=number))
        assert isinstance(decision, WaitUntil)
        assert local("2026-05-01T09:00") <= decision.at < local("2026-05-01T09:01")


def test_wait_window_that_lets_through_at_once_takes_no_time() -> None:
    assert WaitWindowStep.takes_time is False


def test_wait_window_in_words_says_when_it_is_open() -> None:
    two = step(
        {"from": "09:00", "to": "24:00", "weekdays": ["sat"]}, {"from": "01:00", "to": "02:30"}
    )
    assert (
        two.describe(World())
        == "Wait until it is 9 a.m. to 24:00 on Saturday or 1 a.m. to 2:30 a.m."
    )


@pytest.mark.parametrize(
    "windows",
    [
        [],
        [{"from": "09:00"}],
        [{"from": "09:00", "to": "09:00"}],
        [{"from": "24:00", "to": "09:00"}],
        [{"from": "09:00", "to": "18:00", "days": ["mon"]}],
        [{"from": "09:00", "to": "18:00"}] * 21,
    ],
)
def test_wait_window_settings_out_of_form_are_refused(windows: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        WaitWindowSettings.model_validate({"windows": windows})
