"""Which condition said no, with what it found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wagtail_triggers.journeys.blame import blames
from wagtail_triggers.journeys.conditions import evaluate, parse
from wagtail_triggers.journeys.steps.base import EventView, Occurrence

CART = EventView(
    1,
    "cart_updated",
    {"total": {"amount": "12.00"}, "lines": [{"sku": "a"}, {"sku": "b"}]},
    datetime(2026, 5, 1, tzinfo=UTC),
    frozenset({"cart:1"}),
)
SEEN = Occurrence(
    {"orders_count": 2, "language": "de", "bio": "x" * 500}, CART, ZoneInfo("UTC"), CART.refs
)
MANY = {"fact": "orders_count", "op": "gte", "value": 5}
GERMAN = {"fact": "language", "op": "eq", "value": "de"}
FRENCH = {"fact": "language", "op": "eq", "value": "fr"}
SKU = {"event": "lines.sku", "op": "eq", "value": "c"}


def told(condition: dict[str, Any] | None) -> list[tuple[Any, bool, Any]]:
    found = blames(parse(condition), SEEN)
    return [(one.leaf.to_json(), one.holds, one.found) for one in found]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, []),
        (GERMAN, []),
        (MANY, [(MANY, False, 2)]),
        (SKU, [(SKU, False, ["a", "b"])]),
        ({"all": [GERMAN, MANY, FRENCH]}, [(MANY, False, 2)]),
        ({"any": [MANY, FRENCH]}, [(MANY, False, 2), (FRENCH, False, "de")]),
        ({"not": GERMAN}, [(GERMAN, True, "de")]),
        ({"not": {"any": [FRENCH, GERMAN]}}, [(GERMAN, True, "de")]),
        ({"not": {"all": [GERMAN, {"not": MANY}]}}, [(GERMAN, True, "de"), (MANY, False, 2)]),
        ({"segment": "vip"}, [({"segment": "vip"}, False, False)]),
    ],
)
def test_blames_of_a_condition_are_the_leaves_that_decided_it(
    condition: dict[str, Any] | None, expected: list[Any]
) -> None:
    assert told(condition) == expected


def test_blame_of_a_long_value_is_cut_short() -> None:
    (one,) = blames(parse({"fact": "bio", "op": "eq", "value": "y"}), SEEN)
    assert len(one.found) == 120
    assert one.found.endswith("…")


def grown(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What can be made of these by one more "not", "all" or "any"."""
    pairs = [[one, other] for one in conditions for other in conditions]
    lists = [{kind: pair} for kind in ("all", "any") for pair in pairs]
    return [*({"not": one} for one in conditions), *lists]


def test_router_may_ask_for_the_blame_alone_since_it_is_empty_only_where_a_condition_holds() -> (
    None
):
    leaves = [GERMAN, FRENCH]
    every = [*leaves, *grown(leaves), *grown(grown(leaves))]
    assert len(every) > 200
    for condition in every:
        parsed = parse(condition)
        assert bool(blames(parsed, SEEN)) is not evaluate(parsed, SEEN), condition
