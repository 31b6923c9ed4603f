"""Two graphs are compared in words."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.unit.journeys.world import World
from wagtail_triggers.journeys.comparing import Mark, StepChange, compare
from wagtail_triggers.journeys.graph import Graph, digest

BEFORE: dict[str, Any] = {
    "nodes": [
        {"id": "start", "kind": "entry", "settings": {"event": "order_placed"}},
        {"id": "wait", "kind": "wait", "settings": {"amount": 1, "unit": "days"}},
        {"id": "tag", "kind": "update", "settings": {"add_tags": ["a"], "score": 1}},
        {"id": "end", "kind": "end", "settings": {}},
    ],
    "edges": [
        {"source": "start", "port": "next", "target": "wait"},
        {"source": "wait", "port": "next", "target": "tag"},
        {"source": "tag", "port": "next", "target": "end"},
    ],
}


@pytest.fixture
def after() -> dict[str, Any]:
    return deepcopy(BEFORE)


def changes(data: dict[str, Any]) -> tuple[StepChange, ...]:
    return compare(Graph.from_json(BEFORE), Graph.from_json(data), World())


def test_same_graph_has_no_changes(after: dict[str, Any]) -> None:
    after["nodes"][1]["position"] = [10, 20]
    after["nodes"].reverse()
    assert changes(after) == ()


def test_changed_step_is_told_before_and_after(after: dict[str, Any]) -> None:
    after["nodes"][1]["settings"]["amount"] = 2
    (one,) = changes(after)
    assert (one.node, one.mark, one.before, one.after) == (
        "wait",
        Mark.CHANGED,
        "Wait 1 day",
        "Wait 2 days",
    )
    assert [(s.path, s.before, s.after) for s in one.settings] == [("amount", "1", "2")]
    assert one.is_reworded


def test_inserted_step_is_added_and_leads_ways_through_itself(after: dict[str, Any]) -> None:
    hour = {"id": "hour", "kind": "wait", "settings": {"amount": 1, "unit": "hours"}}
    after["nodes"].append(hour)
    after["edges"][1]["target"] = "hour"
    after["edges"].append({"source": "hour", "port": "next", "target": "tag"})
    found = {one.node: one for one in changes(after)}
    assert set(found) == {"wait", "hour"}
    assert (found["hour"].mark, found["hour"].after) == (Mark.ADDED, "Wait 1 hour")
    (way,) = found["wait"].ways
    assert way.port == "Next"
    assert way.after == "Wait 1 hour"
    assert not found["wait"].is_reworded
    assert found["wait"].settings == ()


def test_removed_step_comes_first(after: dict[str, Any]) -> None:
    del after["nodes"][2]
    after["edges"][1:] = [{"source": "wait", "port": "next", "target": "end"}]
    found = changes(after)
    assert [(one.node, one.mark) for one in found] == [
        ("tag", Mark.REMOVED),
        ("wait", Mark.CHANGED),
    ]
    assert found[0].after == ""


def test_lists_and_missing_settings_are_told_in_words(after: dict[str, Any]) -> None:
    after["nodes"][2]["settings"] = {"add_tags": ["a", "b"]}
    (one,) = changes(after)
    assert {(s.path, s.before, s.after) for s in one.settings} == {
        ("add_tags", "a", "a, b"),
        ("score", "1", ""),
    }


def test_note_is_a_change_for_editors_and_none_for_people_under_way(after: dict[str, Any]) -> None:
    after["nodes"][1]["note"] = "Ask marketing first"
    (one,) = changes(after)
    assert one.note == ("", "Ask marketing first")
    assert digest(Graph.from_json(after)) == digest(Graph.from_json(BEFORE))
    assert Graph.from_json(after).to_json()["nodes"][1]["note"] == "Ask marketing first"


def test_step_that_cannot_be_read_is_compared_all_the_same(after: dict[str, Any]) -> None:
    after["nodes"][1]["settings"] = {"amount": "soon"}
    after["nodes"][2]["kind"] = "unheard-of"
    found = {one.node: one for one in changes(after)}
    assert found["wait"].after == "Wait, not finished"
    assert found["tag"].after == "unheard-of, not finished"
