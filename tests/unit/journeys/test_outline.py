"""The outline: a journey as a list to read."""

from __future__ import annotations

from typing import Any

from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.outline import OutlineItem, outline

from .world import World, abandoned_cart, node


def items(data: dict[str, Any]) -> tuple[OutlineItem, ...]:
    return outline(Graph.from_json(data), World())


def lines(data: dict[str, Any]) -> list[str]:
    return [
        "  " * one.depth + (f"{one.port}: " if one.port else "") + one.sentence
        for one in items(data)
    ]


def test_outline_of_a_sound_journey_reads_from_top_to_bottom() -> None:
    assert lines(abandoned_cart()) == [
        "Leave as soon as “Order placed” happens for the same object (the goal is reached)",
        "When “Cart abandoned” happens (one run at a time for each object)",
        "Send “Welcome”",
        "Wait 1 day",
        "If orders_count is at least 3",
        "  Yes: Send “Welcome”",
        "  End",
        "  No: Go on above: End",
    ]


def test_outline_item_says_node_kind_and_icon() -> None:
    wait = next(one for one in items(abandoned_cart()) if one.node == "w1")
    assert wait == OutlineItem("w1", 0, "Wait", "Wait 1 day", icon="history")


def test_outline_of_a_circle_ends_where_it_closes() -> None:
    data = abandoned_cart()
    data["edges"][-1]["target"] = "w1"
    found = items(data)
    assert [(one.node, one.again) for one in found if one.node == "w1"] == [
        ("w1", False),
        ("w1", True),
    ]
    assert len(found) == 8


def test_outline_shows_problems_at_their_node_once() -> None:
    data = abandoned_cart()
    node(data, "mail1")["settings"]["template"] = "gone"
    shown = [(one.node, len(one.problems)) for one in items(data) if one.problems]
    assert shown == [("mail1", 1)]


def test_outline_of_a_broken_journey_still_lists_every_node() -> None:
    data = abandoned_cart()
    node(data, "w1")["settings"] = {}
    node(data, "mail1")["kind"] = "teleport"
    data["edges"][0]["target"] = "nowhere"
    found = items(data)
    assert {one.node for one in found} == {one["id"] for one in data["nodes"]}
    broken = next(one for one in found if one.node == "mail1")
    assert (broken.label, broken.sentence) == ("teleport", "This step cannot be read as it is")
    assert "There is no kind of step" in broken.problems[0].message
    after = [one.node for one in found]
    assert after.index("w1") == after.index("mail1") + 1


def test_outline_of_nothing_is_empty() -> None:
    assert items({"nodes": [], "edges": []}) == ()


def test_outline_of_a_fork_into_many_ways_names_each_way_once() -> None:
    data: dict[str, Any] = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "cart_abandoned"}},
            {"id": "who", "kind": "branch_paths", "settings": {"paths": [
                {"name": "vip", "label": "VIPs",
                 "condition": {"fact": "orders_count", "op": "gte", "value": 10}},
                {"name": "new", "condition": {"fact": "orders_count", "op": "is_not_set"}},
            ]}},
            {"id": "lot", "kind": "split", "settings": {"variants": [
                {"name": "a", "weight": 1}, {"name": "b", "weight": 3, "label": "Long letter"},
            ]}},
            {"id": "day", "kind": "wait_date", "settings": {"fact": "birthday"}},
            {"id": "mail", "kind": "send", "settings": {"template": "welcome-key"}},
            {"id": "out", "kind": "exit", "settings": {"reason": "too late"}},
            {"id": "end", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "target": "who"},
            {"source": "who", "port": "vip", "target": "lot"},
            {"source": "who", "port": "new", "target": "day"},
            {"source": "who", "port": "else", "target": "end"},
            {"source": "lot", "port": "a", "target": "mail"},
            {"source": "lot", "port": "b", "target": "mail"},
            {"source": "day", "target": "mail"},
            {"source": "day", "port": "missing", "target": "end"},
            {"source": "day", "port": "past", "target": "out"},
            {"source": "mail", "target": "end"},
        ],
    }  # fmt: skip
    assert lines(data) == [
        "When “Cart abandoned” happens (one run at a time for each object)",
        "By the first that fits: VIPs if orders_count is at least 10; "
        "new if orders_count is not known",
        "  VIPs: By chance: 25 % a, 75 % Long letter",
        "    a: Send “Welcome”",
        "    End",
        "    Long letter: Go on above: Send “Welcome”",
        "  new: Wait until birthday, at 9 a.m.",
        "    On the date: Go on above: Send “Welcome”",
        "    No date is known: Go on above: End",
        "    It is over already: Leave: too late",
        "  All others: Go on above: End",
    ]
    assert all(not one.problems for one in items(data))
