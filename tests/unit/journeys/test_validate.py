"""Validation: every fault is found, at the node that has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.plan import compile_graph
from wagtail_triggers.journeys.problems import InvalidGraph, Problem
from wagtail_triggers.journeys.validate import has_errors, validate, validate_json

from .world import World, abandoned_cart, node

Change = Callable[[dict[str, Any]], object]


def problems(data: dict[str, Any]) -> tuple[Problem, ...]:
    return validate(Graph.from_json(data), World())


def edge(data: dict[str, Any], source: str, port: str = "next") -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in data["edges"] if (one["source"], one["port"]) == (source, port)
    )
    return found


def add(data: dict[str, Any], id: str, kind: str, target: str = "", **settings: Any) -> None:
    data["nodes"].append({"id": id, "kind": kind, "settings": settings})
    if target:
        data["edges"].append({"source": id, "port": "next", "target": target})


def join(data: dict[str, Any], source: str, port: str, target: str) -> None:
    data["edges"].append({"source": source, "port": port, "target": target})


def set_(node_id: str, **settings: Any) -> Change:
    return lambda data: node(data, node_id)["settings"].update(settings)


def test_sound_journey_has_no_problem() -> None:
    assert problems(abandoned_cart()) == ()


def test_journey_with_two_entries_has_no_problem() -> None:
    data = abandoned_cart()
    add(data, "start2", "entry", "w1", event="cart_abandoned")
    assert problems(data) == ()


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (
            lambda d: node(d, "mail1").update(kind="sendd"),
            ("mail1", "kind"),
            "There is no kind of step “sendd”. Did you mean “send”?",
        ),
        (set_("mail1", tmplate="x"), ("mail1", "tmplate"), "Did you mean “template”?"),
        (
            lambda d: node(d, "mail1")["settings"].clear(),
            ("mail1", "template"),
            "This is missing. Fill it in.",
        ),
        (set_("w1", amount=0), ("w1", "amount"), "must be more than 0"),
        (set_("w1", amount=9000), ("w1", ""), "more than ten years"),
        (
            set_("start", reentry={"rule": "every"}),
            ("start", "reentry"),
            "Give “every” with the rule “every”",
        ),
        (
            set_("start", reentry={"rule": "every", "every": {"amount": 1, "unit": "x"}}),
            ("start", "reentry.every.unit"),
            "'minutes', 'hours', 'days' or 'weeks'",
        ),
        (
            set_("b1", condition={"all": [{"fact": "x", "op": "gtt", "value": 1}]}),
            ("b1", "condition.all.0.op"),
            "Did you mean “gt”?",
        ),
        (set_("b1", condition=None), ("b1", "condition"), "Give a condition"),
        (
            lambda d: d["edges"].remove(edge(d, "b1", "no")),
            ("b1", "ports.no"),
            "The way out “No” leads nowhere. Join it to a step or to an end.",
        ),
        (
            lambda d: edge(d, "b1", "no").update(target="endd"),
            ("b1", "ports.no"),
            "This leads to “endd”, and there is no such node. Did you mean “end”?",
        ),
        (
            lambda d: join(d, "gone", "next", "end"),
            ("", "edges"),
            "An edge begins at “gone”, and there is no such node.",
        ),
        (
            lambda d: join(d, "b1", "maybe", "end"),
            ("b1", "ports.maybe"),
            "There is no way out “maybe” here. Known are: no, yes.",
        ),
        (
            lambda d: join(d, "end", "next", "w1"),
            ("end", "ports.next"),
            "There is no way out “next” here.",
        ),
        (
            lambda d: add(d, "lost", "end"),
            ("lost", ""),
            "No way leads here from an entry. Join it to one, or remove it.",
        ),
        (
            lambda d: edge(d, "mail2").update(target="start"),
            ("start", ""),
            "An edge from “mail2” leads here: a run only begins at an entry.",
        ),
        (
            lambda d: edge(d, "mail2").update(target="bought"),
            ("bought", ""),
            "An edge from “mail2” leads here: this watches during the whole run",
        ),
        (
            lambda d: join(d, "bought", "next", "end"),
            ("bought", "ports.next"),
            "This stands apart and has no way out. Remove the edge.",
        ),
        (
            lambda d: edge(d, "mail2").update(target="b1"),
            ("mail2", ""),
            "The steps b1 → mail2 → b1 form a circle without a wait",
        ),
        (
            lambda d: edge(d, "mail2").update(target="mail2"),
            ("mail2", ""),
            "The steps mail2 → mail2 form a circle without a wait",
        ),
        (
            set_("mail1", template="gone"),
            ("mail1", "template"),
            "There is no published template “gone”.",
        ),
        (set_("start", event="cart_left"), ("start", "event"), "There is no event “cart_left”."),
        (
            set_("bought", event="order_place"),
            ("bought", "event"),
            "Did you mean “order_placed”?",
        ),
        (
            set_("b1", condition={"fact": "order_count", "op": "is_set"}),
            ("b1", "condition.fact"),
            "Did you mean “orders_count”?",
        ),
        (
            set_("b1", condition={"event": "total.sum", "op": "is_set"}),
            ("b1", "condition.event"),
            "The event has no field “total.sum”.",
        ),
    ],
)
def test_journey_with_one_fault_names_node_and_field(
    change: Change, place: tuple[str, str], words: str
) -> None:
    data = abandoned_cart()
    change(data)
    (problem,) = problems(data)
    assert (problem.node, problem.field) == place
    assert words in problem.message
    assert problem.severity == "error"
    assert has_errors((problem,))


def test_entry_filter_on_what_was_done_is_only_a_warning() -> None:
    data = abandoned_cart()
    set_("start", filter={"done": "order_placed", "match": "any"})(data)
    found = problems(data)
    assert [(one.node, one.field, one.severity) for one in found] == [
        ("start", "filter", "warning")
    ]
    assert has_errors(found) is False
    assert compile_graph(Graph.from_json(data)).history_events == {"order_placed"} - {
        "order_placed"
    }


def test_journey_that_nothing_starts_says_only_that() -> None:
    data = abandoned_cart()
    data["nodes"] = [one for one in data["nodes"] if one["id"] != "start"]
    data["edges"].remove(edge(data, "start"))
    assert [str(one) for one in problems(data)] == [
        "nodes: Nothing starts this journey. Add an entry, and join it to a step."
    ]


def test_journey_that_is_empty_has_nothing_that_starts_it() -> None:
    (problem,) = problems({"nodes": [], "edges": []})
    assert (problem.node, problem.field) == ("", "nodes")


def test_journey_whose_entry_is_misspelt_is_not_told_that_it_has_none() -> None:
    data = abandoned_cart()
    node(data, "start")["kind"] = "entri"
    assert [(one.node, one.field) for one in problems(data)] == [("start", "kind")]


def test_circle_with_a_wait_in_it_is_sound() -> None:
    data = abandoned_cart()
    edge(data, "mail2")["target"] = "w1"
    assert problems(data) == ()


def test_two_circles_without_a_wait_are_both_found() -> None:
    data = abandoned_cart()
    edge(data, "mail2")["target"] = "b1"
    add(data, "again", "branch", condition={"fact": "vip", "op": "is_set"})
    edge(data, "b1", "no")["target"] = "again"
    join(data, "again", "yes", "again")
    join(data, "again", "no", "end")
    assert {one.node for one in problems(data)} == {"mail2", "again"}


def test_diamond_is_no_circle() -> None:
    data = abandoned_cart()
    edge(data, "b1", "no")["target"] = "mail2"
    assert problems(data) == ()


def test_problems_stand_in_the_order_of_the_nodes() -> None:
    data = abandoned_cart()
    set_("mail2", template="gone")(data)
    set_("start", event="nothing")(data)
    set_("w1", amount=-1)(data)
    assert [one.node for one in problems(data)] == ["start", "w1", "mail2"]


def test_graph_of_three_hundred_steps_in_a_row_is_sound() -> None:
    data: dict[str, Any] = {"nodes": [], "edges": []}
    add(data, "start", "entry", "n0", event="cart_abandoned")
    for n in range(298):
        add(data, f"n{n}", "send", f"n{n + 1}" if n < 297 else "end", template="welcome-key")
    add(data, "end", "end")
    assert len(data["nodes"]) == 300
    assert problems(data) == ()


def test_validate_json_of_no_graph_at_all_gives_its_faults() -> None:
    assert [one.message for one in validate_json("x", World())] == [
        "A journey's graph must be an object with “nodes” and “edges”."
    ]
    assert validate_json(abandoned_cart(), World()) == ()


def test_graph_without_errors_compiles_and_one_with_errors_does_not() -> None:
    data = abandoned_cart()
    compile_graph(Graph.from_json(data))
    data["edges"].remove(edge(data, "mail2"))
    with pytest.raises(InvalidGraph, match=r"mail2\.ports\.next"):
        compile_graph(Graph.from_json(data))
