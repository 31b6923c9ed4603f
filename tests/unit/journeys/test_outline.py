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
