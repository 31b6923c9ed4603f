"""Entry: what it lets editors say; the router carries it out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.decisions import Advance
from wagtail_triggers.journeys.steps.entry import EntrySettings, EntryStep

from ..world import World, run

TRIGGERS = frozenset({"cart_abandoned"})


def entry(**settings: Any) -> EntryStep:
    return EntryStep(EntrySettings.model_validate({"event": "cart_abandoned", **settings}))


def test_entry_decides_to_go_on() -> None:
    assert entry().decide(run()) == Advance("next")


def test_entry_without_reentry_takes_each_key() -> None:
    assert entry().settings.reentry.rule == "each_key"


def test_entry_in_words_says_event_filter_and_rule() -> None:
    step = entry(filter={"fact": "orders_count", "op": "eq", "value": 0}, reentry={"rule": "once"})
    assert step.describe(World()) == (
        "When “Cart abandoned” happens, if orders_count is 0 (each person once)"
    )
    assert entry().describe(World()) == (
        "When “Cart abandoned” happens (one run at a time for each object)"
    )


def test_entry_on_an_unknown_event_is_a_problem_with_the_nearest_name() -> None:
    (problem,) = entry(event="cart_abandonned").problems(World(), frozenset({"cart_abandonned"}))
    assert (problem.field, problem.severity) == ("event", "error")
    assert problem.message == (
        "There is no event “cart_abandonned”. Did you mean “cart_abandoned”?"
    )


def test_entry_filter_is_checked_against_its_own_event() -> None:
    (problem,) = entry(filter={"event": "totl", "op": "is_set"}).problems(World(), TRIGGERS)
    assert problem.field == "filter.event"
    assert "no field “totl”" in problem.message


def test_entry_filter_that_asks_what_was_done_is_a_warning() -> None:
    step = entry(filter={"done": "order_placed", "match": "any"})
    (problem,) = step.problems(World(), TRIGGERS)
    assert (problem.field, problem.severity) == ("filter", "warning")
    assert "they never hold here" in problem.message


@pytest.mark.parametrize(
    "settings",
    [{"event": ""}, {"event": None}, {"filter": {"fact": 1}}, {"reentry": {"rule": "?"}}, {"x": 1}],
)
def test_entry_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entry(**settings)
