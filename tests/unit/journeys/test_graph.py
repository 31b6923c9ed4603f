"""The graph: JSON in, frozen values, the same JSON out."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_triggers.exceptions import GraphError
from wagtail_triggers.journeys.graph import Edge, Graph, Node, digest
from wagtail_triggers.journeys.problems import InvalidGraph

from .world import abandoned_cart, node

ids = st.text("abcXYZ019_-", min_size=1, max_size=64)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
settings = st.dictionaries(
    st.text(),
    st.recursive(
        scalars,
        lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
coordinates = st.floats(-1e6, 1e6) | st.integers(-1000, 1000)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(ids, unique=True, max_size=8))
    nodes: list[dict[str, Any]] = []
    for name in names:
        one: dict[str, Any] = {"id": name, "kind": draw(ids), "settings": draw(settings)}
        if draw(st.booleans()):
            one["position"] = [draw(coordinates), draw(coordinates)]
        nodes.append(one)
    edges = draw(
        st.lists(
            st.fixed_dictionaries({"source": ids, "port": ids, "target": ids}),
            unique_by=lambda edge: (edge["source"], edge["port"]),
            max_size=8,
        )
    )
    return {"nodes": nodes, "edges": edges}


@given(graphs())
def test_graph_read_and_written_is_the_same_json(data: dict[str, Any]) -> None:
    graph = Graph.from_json(data)
    assert graph.to_json() == data
    assert json.loads(json.dumps(graph.to_json())) == data
    assert Graph.from_json(graph.to_json()) == graph


@given(graphs(), st.randoms(use_true_random=False))
def test_digest_does_not_see_order_and_position(data: dict[str, Any], random: Any) -> None:
    other = copy.deepcopy(data)
    random.shuffle(other["nodes"])
    random.shuffle(other["edges"])
    for one in other["nodes"]:
        one["position"] = [1, 2]
    assert digest(Graph.from_json(other)) == digest(Graph.from_json(data))


@pytest.mark.parametrize("part", ["settings", "kind", "target", "port", "gone"])
def test_digest_sees_whatever_changes_what_happens(part: str) -> None:
    before, after = abandoned_cart(), abandoned_cart()
    match part:
        case "settings":
            node(after, "w1")["settings"]["amount"] = 2
        case "kind":
            node(after, "w1")["kind"] = "pause"
        case "target":
            after["edges"][0]["target"] = "w1"
        case "port":
            after["edges"][3]["port"], after["edges"][4]["port"] = "no", "yes"
        case "gone":
            del after["nodes"][-1]
    assert digest(Graph.from_json(after)) != digest(Graph.from_json(before))


def test_graph_minimal_takes_its_defaults() -> None:
    graph = Graph.from_json(
        {"nodes": [{"id": "a", "kind": "end"}], "edges": [{"source": "b", "target": "a"}]}
    )
    assert graph == Graph((Node("a", "end"),), (Edge("b", "next", "a"),))
    assert graph.by_id["a"].settings == {}
    assert graph.targets == {("b", "next"): "a"}


def test_graph_does_not_change_with_the_json_it_came_from() -> None:
    data = abandoned_cart()
    graph = Graph.from_json(data)
    node(data, "w1")["settings"]["amount"] = 99
    assert graph.by_id["w1"].settings["amount"] == 1
    with pytest.raises(TypeError):
        graph.by_id["w1"].settings["amount"] = 2  # type: ignore[index]  # that it is refused is the point
    graph.to_json()["nodes"][2]["settings"]["amount"] = 3
    assert graph.by_id["w1"].settings["amount"] == 1


A = {"id": "a", "kind": "end"}


def deep(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels):
        data = {"x": data}
    return data


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (None, "", "must be an object"),
        ([], "", "must be an object"),
        ({"nodes": {}}, "nodes", "must be a list"),
        ({"edges": "abc"}, "edges", "must be a list"),
        ({"nodes": [], "edgs": []}, "edgs", "known are: edges, nodes"),
        ({"nodes": [3]}, "nodes.0", "must be an object"),
        ({"nodes": [{"kind": "end"}]}, "nodes.0", "“id” must be 1 to 64"),
        ({"nodes": [{"id": "a b", "kind": "end"}]}, "nodes.0", "“id” must be 1 to 64"),
        ({"nodes": [{"id": "a" * 65, "kind": "end"}]}, "nodes.0", "“id” must be 1 to 64"),
        ({"nodes": [{"id": "a\n", "kind": "end"}]}, "nodes.0", "“id” must be 1 to 64"),
        ({"nodes": [{"id": "a"}]}, "a.kind", "“kind” must be"),
        ({"nodes": [{**A, "settings": []}]}, "a.settings", "must be an object"),
        ({"nodes": [{**A, "settings": {"x": float("nan")}}]}, "a.settings", "what JSON can hold"),
        ({"nodes": [{**A, "settings": {"x": object()}}]}, "a.settings", "what JSON can hold"),
        ({"nodes": [{**A, "settings": {1: 2}}]}, "a.settings", "must be texts"),
        ({"nodes": [{**A, "settings": deep(40)}]}, "a.settings", "nested too deep"),
        ({"nodes": [{**A, "settings": deep(5000)}]}, "a.settings", "nested too deep"),
        ({"nodes": [{**A, "position": [1]}]}, "a.position", "two numbers"),
        ({"nodes": [{**A, "position": [1, True]}]}, "a.position", "two numbers"),
        ({"nodes": [{**A, "position": [1, float("inf")]}]}, "a.position", "two numbers"),
        ({"nodes": [{**A, "colour": 1}]}, "a.colour", "known are: id, kind"),
        ({"nodes": [A, A]}, "a.id", "Two nodes have this id"),
        ({"edges": [3]}, "edges.0", "must be an object"),
        ({"edges": [{"source": "a"}]}, "edges.0.target", "“target” must be"),
        ({"edges": [{"source": "a", "target": "b", "x": 1}]}, "edges.0.x", "known are: port"),
        (
            {"edges": [{"source": "a", "target": "b"}, {"source": "a", "target": "c"}]},
            "a.ports.next",
            "Two edges leave",
        ),
        ({"nodes": [A] * 301}, "nodes", "at most 300, and there are 301"),
        ({"edges": [{}] * 1001}, "edges", "at most 1000"),
    ],
)
def test_graph_out_of_form_is_refused_at_its_place(data: Any, place: str, words: str) -> None:
    with pytest.raises(GraphError) as caught:
        Graph.from_json(data)
    assert isinstance(caught.value, InvalidGraph)
    (problem,) = caught.value.problems
    assert ".".join(part for part in (problem.node, problem.field) if part) == place
    assert words in problem.message


def test_graph_with_several_faults_carries_them_all() -> None:
    with pytest.raises(InvalidGraph) as caught:
        Graph.from_json({"nodes": [{"id": "a"}, 3], "edges": [{}]})
    assert len(caught.value.problems) == 4
    assert str(caught.value).count("\n") == 3


def test_graph_of_three_hundred_nodes_is_read() -> None:
    data = {"nodes": [{"id": f"n{n}", "kind": "end", "settings": {}} for n in range(300)]}
    assert len(Graph.from_json(data).nodes) == 300
