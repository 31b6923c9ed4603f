"""Goal: what ends a run at once. How the router matches it stands in test_plan."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.base import Role
from wagtail_triggers.journeys.steps.decisions import Exit
from wagtail_triggers.journeys.steps.goal import GoalSettings, GoalStep

from ..world import World, run

TRIGGERS = frozenset({"cart_abandoned"})


def goal(**settings: Any) -> GoalStep:
    return GoalStep(GoalSettings.model_validate({"event": "order_placed", **settings}))


def test_goal_watches_and_is_joined_to_nothing() -> None:
    assert GoalStep.role is Role.WATCH
    assert goal().ports() == ()


def test_goal_by_default_is_about_the_same_object_and_converts() -> None:
    assert (goal().settings.match, goal().settings.converts) == ("same_object", True)


def test_goal_that_a_run_was_moved_to_ends_it() -> None:
    assert goal().decide(run()) == Exit("goal", converted=True)
    assert goal(converts=False).decide(run()) == Exit("goal", converted=False)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Leave as soon as “Order placed” happens for the same object (the goal is reached)"),
        ({"match": "any", "converts": False}, "Leave as soon as “Order placed” happens"),
        (
            {
                "match": "any",
                "converts": False,
                "filter": {"event": "total.amount", "op": "gt", "value": "50"},
            },
            "Leave as soon as “Order placed” happens, if the event's total.amount is more than 50",
        ),
    ],
)
def test_goal_in_words_says_when_and_what_it_means(settings: dict[str, Any], words: str) -> None:
    assert goal(**settings).describe(World()) == words


def test_goal_on_an_unknown_event_is_a_problem() -> None:
    (problem,) = goal(event="order_plced").problems(World(), TRIGGERS)
    assert problem.field == "event"
    assert "Did you mean “order_placed”?" in problem.message


def test_goal_about_no_common_object_is_a_warning() -> None:
    (problem,) = goal().problems(World(), frozenset({"user_registered"}))
    assert (problem.field, problem.severity) == ("match", "warning")
    assert "Choose “any”." in problem.message
    assert list(goal(match="any").problems(World(), frozenset({"user_registered"}))) == []


def test_goal_filter_is_checked_against_the_goals_own_event() -> None:
    step = goal(filter={"event": "total", "op": "gt", "value": 1})
    (problem,) = step.problems(World(), TRIGGERS)
    assert problem.field == "filter.event"


def test_goal_filter_that_asks_what_was_done_is_a_problem() -> None:
    step = goal(filter={"done": "order_placed", "match": "any"})
    (problem,) = step.problems(World(), TRIGGERS)
    assert (problem.field, problem.severity) == ("filter", "error")


@pytest.mark.parametrize("settings", [{"match": "similar"}, {"event": ""}, {"port": "next"}])
def test_goal_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        goal(**settings)
