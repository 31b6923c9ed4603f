"""Re-entry: who may come again, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.reentry import REASONS, PastRuns, Reentry, Verdict, may_enter

from .world import BERLIN, NOON

NEVER = PastRuns()
RUNNING_OTHER = PastRuns(count=1, last_entered_at=NOON, active=1, active_same_key=False)
RUNNING_SAME = PastRuns(count=1, last_entered_at=NOON, active=1, active_same_key=True)
ENDED = PastRuns(count=1, last_entered_at=NOON)


@pytest.mark.parametrize(
    ("rule", "past", "key", "reason"),
    [
        ({"rule": "each_key"}, NEVER, "cart:1", ""),
        ({"rule": "each_key"}, RUNNING_OTHER, "cart:1", ""),
        ({"rule": "each_key"}, RUNNING_SAME, "cart:1", "already_in_journey"),
        ({"rule": "each_key"}, RUNNING_OTHER, "", "already_in_journey"),
        ({"rule": "each_key"}, ENDED, "cart:1", ""),
        ({"rule": "one_at_a_time"}, NEVER, "cart:1", ""),
        ({"rule": "one_at_a_time"}, RUNNING_OTHER, "cart:1", "already_in_journey"),
        ({"rule": "one_at_a_time"}, ENDED, "cart:1", ""),
        ({"rule": "once"}, NEVER, "", ""),
        ({"rule": "once"}, ENDED, "", "entered_once"),
        ({"rule": "once"}, RUNNING_OTHER, "cart:1", "already_in_journey"),
        ({"rule": "each_key", "max_runs": 1}, ENDED, "cart:2", "max_runs_reached"),
        ({"rule": "each_key", "max_runs": 2}, ENDED, "cart:2", ""),
        ({"rule": "each_key", "max_runs": 2}, NEVER, "cart:2", ""),
    ],
)
def test_may_enter_by_rule_allows_or_says_why_not(
    rule: dict[str, Any], past: PastRuns, key: str, reason: str
) -> None:
    verdict = may_enter(Reentry.model_validate(rule), past, key, NOON)
    assert verdict == Verdict(not reason, reason)
    assert not reason or reason in REASONS


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (datetime(2026, 3, 29, 9, 59, 59, tzinfo=UTC), "entered_too_recently"),
        (datetime(2026, 3, 29, 10, 0, tzinfo=UTC), ""),
    ],
)
def test_may_enter_every_day_counts_days_on_the_persons_wall_clock(
    moment: datetime, reason: str
) -> None:
    rule = Reentry.model_validate({"rule": "every", "every": {"amount": 1, "unit": "days"}})
    past = PastRuns(count=1, last_entered_at=datetime(2026, 3, 28, 12, tzinfo=BERLIN))
    assert may_enter(rule, past, "", moment, BERLIN).reason == reason


def test_may_enter_every_while_a_run_goes_on_is_refused() -> None:
    rule = Reentry.model_validate({"rule": "every", "every": {"amount": 1, "unit": "hours"}})
    late = datetime(2027, 1, 1, tzinfo=ZoneInfo("UTC"))
    assert may_enter(rule, RUNNING_OTHER, "cart:1", late).reason == "already_in_journey"


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "every"},
        {"rule": "once", "every": {"amount": 1, "unit": "days"}},
        {"rule": "sometimes"},
        {"rule": "each_key", "max_runs": 0},
        {"rule": "each_key", "most": 3},
    ],
)
def test_reentry_out_of_form_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Reentry.model_validate(rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "one run at a time for each object"),
        ({"rule": "once"}, "each person once"),
        (
            {"rule": "every", "every": {"amount": 30, "unit": "days"}, "max_runs": 4},
            "at most once every 30 days, at most 4 in all",
        ),
    ],
)
def test_reentry_in_words_says_the_rule(rule: dict[str, Any], words: str) -> None:
    assert Reentry.model_validate(rule).describe() == words


DAY = timedelta(days=1)
TWO_A_WEEK = Reentry.model_validate(
    {"rule": "at_most", "times": 2, "per": {"amount": 7, "unit": "days"}}
)


@pytest.mark.parametrize(
    ("ago", "reason"),
    [
        ([], ""),
        ([1], ""),
        ([1, 2], "entered_too_often"),
        ([0, 0, 0], "entered_too_often"),
        ([1, 7], ""),  # a week ago to the second: the window has rolled on
        ([1, 6.99], "entered_too_often"),
        ([8, 9, 10, 1], ""),
    ],
)
def test_may_enter_at_most_counts_the_entries_of_the_rolling_window(
    ago: list[float], reason: str
) -> None:
    past = PastRuns(len(ago), NOON, recent=tuple(NOON - days * DAY for days in ago))
    assert may_enter(TWO_A_WEEK, past, "cart:1", NOON) == Verdict(not reason, reason)


def test_may_enter_at_most_counts_days_on_the_persons_wall_clock() -> None:
    daily = Reentry.model_validate(
        {"rule": "at_most", "times": 1, "per": {"amount": 1, "unit": "days"}}
    )
    entered = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    past = PastRuns(1, entered, recent=(entered,))
    early = datetime(2026, 3, 29, 11, 59, 59, tzinfo=BERLIN)
    assert may_enter(daily, past, "", early, BERLIN).reason == "entered_too_often"
    assert may_enter(daily, past, "", early + timedelta(seconds=1), BERLIN).allowed


def test_may_enter_at_most_takes_one_run_at_a_time_for_each_object() -> None:
    busy = PastRuns(1, NOON, active=1, active_same_key=True, recent=(NOON,))
    assert may_enter(TWO_A_WEEK, busy, "cart:1", NOON).reason == "already_in_journey"
    other = PastRuns(1, NOON, active=1, recent=(NOON,))
    assert may_enter(TWO_A_WEEK, other, "cart:2", NOON).allowed


def test_reentry_at_most_in_words_and_how_far_it_looks_back() -> None:
    assert TWO_A_WEEK.describe() == "at most 2 times in 7 days"
    assert TWO_A_WEEK.looks_back() >= timedelta(days=8)
    assert Reentry().looks_back() == timedelta()


@pytest.mark.parametrize(
    "settings",
    [
        {"rule": "at_most"},
        {"rule": "at_most", "times": 2},
        {"rule": "at_most", "per": {"amount": 1, "unit": "days"}},
        {"rule": "at_most", "times": 0, "per": {"amount": 1, "unit": "days"}},
        {"rule": "once", "times": 2, "per": {"amount": 1, "unit": "days"}},
        {"rule": "once", "times": 2},
    ],
)
def test_reentry_at_most_without_its_settings_or_they_without_it_is_refused(
    settings: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        Reentry.model_validate(settings)
