"""Branch into several paths."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.branch_paths import BranchPathsSettings, BranchPathsStep
from wagtail_triggers.journeys.steps.decisions import Advance

from ..world import World, event, run


def many(n: int) -> dict[str, Any]:
    return {"fact": "orders_count", "op": "gte", "value": n}


def step(*paths: dict[str, Any]) -> BranchPathsStep:
    return BranchPathsStep(BranchPathsSettings.model_validate({"paths": list(paths)}))


THREE = step(
    {"name": "vip", "label": "VIPs", "condition": many(10)},
    {"name": "regular", "condition": many(3)},
)


@pytest.mark.parametrize(
    ("orders", "port"), [(10, "vip"), (9, "regular"), (3, "regular"), (2, "else"), (None, "else")]
)
def test_branch_paths_takes_the_first_that_fits_or_else(orders: int | None, port: str) -> None:
    contact = {} if orders is None else {"orders_count": orders}
    assert THREE.decide(run(contact=contact)) == Advance(port)


def test_branch_paths_has_a_port_for_each_path_and_one_for_all_others() -> None:
    assert [(port.name, str(port.label)) for port in THREE.ports()] == [
        ("vip", "VIPs"),
        ("regular", "regular"),
        ("else", "All others"),
    ]


def test_branch_paths_looks_for_what_any_of_its_conditions_needs() -> None:
    asking = step(
        {"name": "a", "condition": {"done": "order_placed", "match": "any"}},
        {"name": "b", "condition": {"message": "mail1", "was": "clicked"}},
        {"name": "c", "condition": {"segment": "vips"}},
    )
    assert asking.listens_for() == {"order_placed", "message_clicked"}
    assert asking.messages() == {"mail1"}
    assert asking.segments() == {"vips"}
    bought = event("order_placed", id=2)
    assert asking.decide(run(history=(bought,))) == Advance("a")
    assert asking.decide(run(segments=frozenset({"vips"}))) == Advance("c")


def test_branch_paths_in_words_names_each_path() -> None:
    assert THREE.describe(World()) == (
        "By the first that fits: VIPs if orders_count is at least 10; "
        "regular if orders_count is at least 3"
    )


def test_branch_paths_names_the_path_at_fault() -> None:
    wrong = step({"name": "a", "condition": many(1)}, {"name": "b", "condition": {"segment": "x"}})
    (problem,) = wrong.problems(World(), frozenset())
    assert problem.field == "paths.1.condition.segment"


@pytest.mark.parametrize(
    "paths",
    [
        [],
        [{"name": "a"}],
        [{"name": "a", "condition": None}],
        [{"name": "else", "condition": many(1)}],
        [{"name": "a", "condition": many(1)}, {"name": "a", "condition": many(2)}],
        [{"name": "a b", "condition": many(1)}],
        [{"name": "a" * 33, "condition": many(1)}],
        [{"name": f"p{n}", "condition": many(1)} for n in range(21)],
    ],
)
def test_branch_paths_settings_out_of_form_are_refused(paths: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        BranchPathsSettings.model_validate({"paths": paths})
