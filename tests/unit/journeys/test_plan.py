"""The compiled plan: what router and runner ask of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from wagtail_triggers.exceptions import GraphError, UnknownIdentifier
from wagtail_triggers.journeys import plan as plan_module
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.plan import (
    Goal,
    Plan,
    compile_graph,
    keep_plan,
    known_plan,
    plan_for,
)
from wagtail_triggers.journeys.steps.wait import WaitStep

from .world import abandoned_cart, event, node


def compiled(data: dict[str, Any]) -> Plan:
    return compile_graph(Graph.from_json(data))


@pytest.fixture(autouse=True)
def _no_plans_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_cache", type(plan_module._cache)())


def test_plan_knows_its_nodes_and_ways() -> None:
    plan = compiled(abandoned_cart())
    assert plan.node_ids == {"start", "mail1", "w1", "b1", "mail2", "bought", "end"}
    assert isinstance(plan.step("w1"), WaitStep)
    assert plan.next("mail1") == "w1"
    assert plan.next("b1", "yes") == "mail2"
    assert plan.next("b1", "no") == "end"


def test_plan_asked_for_a_node_or_way_that_it_lacks_says_so() -> None:
    plan = compiled(abandoned_cart())
    with pytest.raises(UnknownIdentifier, match="no node 'gone'"):
        plan.step("gone")
    with pytest.raises(UnknownIdentifier, match="one of its ports: yes, no"):
        plan.next("b1", "next")
    with pytest.raises(UnknownIdentifier, match="it has none"):
        plan.next("end")


def test_plan_lists_the_events_that_matter() -> None:
    data = abandoned_cart()
    node(data, "b1")["settings"]["condition"] = {"done": "checkout_started", "match": "any"}
    plan = compiled(data)
    assert plan.entry_events == {"cart_abandoned"}
    assert plan.goal_events == {"order_placed"}
    assert plan.history_events == {"checkout_started"}


def test_entries_for_an_event_are_those_on_it() -> None:
    data = abandoned_cart()
    data["nodes"].append({"id": "s2", "kind": "entry", "settings": {"event": "wishlist_updated"}})
    data["edges"].append({"source": "s2", "port": "next", "target": "w1"})
    plan = compiled(data)
    (entry,) = plan.entries_for("cart_abandoned")
    assert (entry.node, entry.first, entry.reentry.rule) == ("start", "mail1", "each_key")
    (other,) = plan.entries_for("wishlist_updated")
    assert (other.node, other.first) == ("s2", "w1")
    assert plan.entries_for("order_placed") == ()


def test_entry_admits_by_name_and_filter() -> None:
    data = abandoned_cart()
    node(data, "start")["settings"]["filter"] = {
        "all": [
            {"event": "total.amount", "op": "gt", "value": "50"},
            {"fact": "language", "op": "eq", "value": "de"},
        ]
    }
    (entry,) = compiled(data).entries
    rich = event("cart_abandoned", {"total": {"amount": "50.01"}})
    assert entry.admits(rich, {"language": "de"}) is True
    assert entry.admits(rich, {"language": "en"}) is False
    assert entry.admits(rich, {}) is False
    assert entry.admits(event("cart_abandoned", {}), {"language": "de"}) is False
    assert entry.admits(event("order_placed", dict(rich.payload)), {"language": "de"}) is False


BOUGHT = Goal("bought", "order_placed", "same_object", None, True)


@pytest.mark.parametrize(
    ("run_refs", "name", "refs", "found"),
    [
        ({"cart:12"}, "order_placed", ("order:7", "cart:12"), BOUGHT),
        ({"cart:12"}, "order_placed", ("order:7", "cart:13"), None),
        ({"cart:12"}, "order_placed", (), None),
        (set(), "order_placed", ("cart:12",), None),
        ({"cart:12"}, "order_paid", ("cart:12",), None),
    ],
)
def test_match_goal_for_the_same_object_needs_a_reference_in_common(
    run_refs: set[str], name: str, refs: tuple[str, ...], found: Goal | None
) -> None:
    plan = compiled(abandoned_cart())
    assert plan.match_goal(frozenset(run_refs), event(name, None, *refs)) == found


def test_match_goal_for_any_object_needs_none() -> None:
    data = abandoned_cart()
    node(data, "bought")["settings"]["match"] = "any"
    goal = compiled(data).match_goal(frozenset(), event("order_placed"))
    assert goal is not None
    assert goal.node == "bought"


def test_match_goal_filter_reads_the_goals_event_and_the_contact() -> None:
    data = abandoned_cart()
    node(data, "bought")["settings"]["filter"] = {
        "all": [
            {"event": "total.amount", "op": "gte", "value": 100},
            {"fact": "language", "op": "eq", "value": "de"},
        ]
    }
    plan, refs = compiled(data), frozenset({"cart:12"})
    big = event("order_placed", {"total": {"amount": "100.00"}}, "cart:12")
    small = event("order_placed", {"total": {"amount": "99.99"}}, "cart:12")
    assert plan.match_goal(refs, big, {"language": "de"}) is not None
    assert plan.match_goal(refs, small, {"language": "de"}) is None
    assert plan.match_goal(refs, big) is None


def test_match_goal_that_converts_wins_over_one_that_does_not() -> None:
    data = abandoned_cart()
    node(data, "bought")["settings"]["converts"] = False
    data["nodes"].append(
        {"id": "won", "kind": "goal", "settings": {"event": "order_placed", "match": "any"}}
    )
    goal = compiled(data).match_goal(frozenset({"cart:12"}), event("order_placed", None, "cart:12"))
    assert goal is not None
    assert (goal.node, goal.converts) == ("won", True)


def test_compile_of_a_graph_that_is_wrong_raises_with_every_problem() -> None:
    data = abandoned_cart()
    node(data, "w1")["settings"] = {"amount": 0, "unit": "days"}
    node(data, "mail1")["kind"] = "sned"
    with pytest.raises(GraphError) as caught:
        compiled(data)
    assert "w1.amount" in str(caught.value)
    assert "mail1.kind: There is no kind of step “sned”. Did you mean “send”?" in str(caught.value)


def test_compile_does_not_ask_whether_templates_and_events_exist() -> None:
    data = abandoned_cart()
    node(data, "mail1")["settings"]["template"] = "not-there"
    node(data, "start")["settings"]["event"] = "not_there"
    assert compiled(data).entry_events == {"not_there"}


def test_plan_for_a_version_is_compiled_once() -> None:
    first = plan_for(1, abandoned_cart())
    assert plan_for(1, abandoned_cart()) is first
    assert plan_for(2, abandoned_cart()) is not first


def test_plan_for_an_id_with_another_graph_is_never_the_old_plan() -> None:
    data = abandoned_cart()
    old = plan_for(1, data)
    node(data, "w1")["settings"]["amount"] = 2
    new = plan_for(1, data)
    assert new is not old
    step = new.step("w1")
    assert isinstance(step, WaitStep)
    assert step.settings.amount == 2


def test_plan_for_json_that_leaves_defaults_out_is_held_too() -> None:
    data = abandoned_cart()
    for edge in data["edges"]:
        if edge["port"] == "next":
            del edge["port"]
    assert plan_for(1, copy.deepcopy(data)) is plan_for(1, data)


def test_plan_for_more_versions_than_are_held_lets_the_oldest_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_module, "CACHED_PLANS", 2)
    first = plan_for(1, abandoned_cart())
    second = plan_for(2, abandoned_cart())
    assert plan_for(1, abandoned_cart()) is first
    plan_for(3, abandoned_cart())
    assert plan_for(1, abandoned_cart()) is first
    assert plan_for(2, abandoned_cart()) is not second


def test_plan_kept_by_its_digest_is_found_again_until_others_push_it_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wagtail_triggers.journeys.plan.CACHED_PLANS", 2)
    plan = plan_for(1, abandoned_cart())
    for digest in ("a", "b"):
        keep_plan(digest, plan)
    assert known_plan("a") is plan
    keep_plan("c", plan)
    assert known_plan("b") is None
    assert known_plan("a") is known_plan("c") is plan
    assert known_plan("") is None
