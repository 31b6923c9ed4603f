"""Branch: two ways on."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.branch import BranchSettings, BranchStep
from wagtail_triggers.journeys.steps.decisions import Advance

from ..world import World, event, run


def branch(condition: object) -> BranchStep:
    return BranchStep(BranchSettings.model_validate({"condition": condition}))


REGULAR = {"fact": "orders_count", "op": "gte", "value": 3}


@pytest.mark.parametrize(
    ("contact", "port"), [({"orders_count": 3}, "yes"), ({"orders_count": 2}, "no"), ({}, "no")]
)
def test_branch_on_a_fact_takes_the_port_of_the_answer(contact: dict[str, Any], port: str) -> None:
    assert branch(REGULAR).decide(run(contact=contact)) == Advance(port)


def test_branch_on_what_was_done_reads_the_history() -> None:
    step = branch({"done": "order_placed", "match": "same_object"})
    bought = event("order_placed", None, "cart:12", id=2)
    assert step.listens_for() == {"order_placed"}
    assert step.decide(run(history=(bought,))) == Advance("yes")
    assert step.decide(run()) == Advance("no")


def test_branch_has_a_port_for_each_answer() -> None:
    assert [(port.name, str(port.label)) for port in branch(REGULAR).ports()] == [
        ("yes", "Yes"),
        ("no", "No"),
    ]


def test_branch_in_words_asks_the_question() -> None:
    assert branch(REGULAR).describe(World()) == "If orders_count is at least 3"


def test_branch_is_checked_against_what_starts_the_journey() -> None:
    step = branch({"event": "totl.amount", "op": "gt", "value": 1})
    (problem,) = step.problems(World(), frozenset({"cart_abandoned"}))
    assert problem.field == "condition.event"
    assert list(step.problems(World(), frozenset({"user_registered"}))) == []


@pytest.mark.parametrize("settings", [{}, {"condition": None}, {"condition": {"all": []}}])
def test_branch_without_a_condition_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BranchSettings.model_validate(settings)
