"""The graph of a journey: frozen values on one side, the JSON that an editor edits on the other.

This module knows the form only: ids, edges, bounds. What kinds mean and whether the graph makes
sense is for `validate`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from django.utils.translation import gettext as _

from .problems import InvalidGraph, Problem

MAX_NODES = 300
MAX_EDGES = 1000
MAX_ID = 64
#: Settings are small; this is far beyond any form and far below Python's recursion limit.
MAX_DEPTH = 32

#: Ids stand in URLs, in CSS and in the run's position, so they are plain.
_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
#: A remark of one editor to the others; long enough for a paragraph.
MAX_NOTE = 2_000
_NODE_KEYS = frozenset({"id", "kind", "settings", "position", "note"})
_EDGE_KEYS = frozenset({"source", "port", "target"})

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Node:
    """One step in the graph. `settings` is read-only JSON; `position` is for the canvas alone.

    `note` is what editors tell each other about the step: nothing is done with it.
    """

    id: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=lambda: _EMPTY, hash=False)
    position: tuple[float, float] | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; `position` and `note` only where there is one."""
        data: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "settings": thaw(self.settings),
        }
        if self.position is not None:
            data["position"] = list(self.position)
        if self.note:
            data["note"] = self.note
        return data


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from the port of one node to another node."""

    source: str
    port: str
    target: str

    def to_json(self) -> dict[str, str]:
        """Return the JSON form."""
        return {"source": self.source, "port": self.port, "target": self.target}


@dataclass(frozen=True)
class Graph:
    """The whole plan as it was drawn, in the order in which it was drawn."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()

    @classmethod
    def from_json(cls, data: object) -> Graph:
        """Read the JSON form.

        Raises InvalidGraph (a GraphError) carrying everything that is wrong in `.problems`: what
        is missing, of a wrong type, out of bounds, or there twice.
        """
        reader = _Reader()
        graph = reader.graph(data)
        if reader.problems:
            raise InvalidGraph(reader.problems)
        return graph

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form: reading it gives an equal graph, writing that the same JSON."""
        return {
            "nodes": [node.to_json() for node in self.nodes],
            "edges": [edge.to_json() for edge in self.edges],
        }

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        """The nodes by id."""
        return MappingProxyType({node.id: node for node in self.nodes})

    @cached_property
    def targets(self) -> Mapping[tuple[str, str], str]:
        """Where each (node id, port) leads."""
        return MappingProxyType({(edge.source, edge.port): edge.target for edge in self.edges})


def digest(graph: Graph) -> str:
    """Return 64 hex digits that change when what the journey does changes.

    Where nodes are drawn, in which order they are listed, and notes do not count.
    """
    nodes = sorted(
        ([node.id, node.kind, thaw(node.settings)] for node in graph.nodes), key=lambda n: n[0]
    )
    edges = sorted([edge.source, edge.port, edge.target] for edge in graph.edges)
    text = json.dumps([nodes, edges], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def thaw(value: Any) -> Any:
    """Return frozen JSON as fresh dicts and lists."""
    if isinstance(value, Mapping):
        return {key: thaw(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [thaw(one) for one in value]
    return value


class _Unfreezable(ValueError):
    """A value that JSON has no word for."""


def _freeze(value: object, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise _Unfreezable(_("Settings are nested too deep."))
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise _Unfreezable(_("The keys of settings must be texts."))
        return MappingProxyType({key: _freeze(one, depth + 1) for key, one in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_freeze(one, depth + 1) for one in value)
    raise _Unfreezable(_("Settings may hold only what JSON can hold."))


class _Reader:
    """Reads a graph and collects what is wrong instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fault(self, node: str, field: str, message: str) -> None:
        self.problems.append(Problem(node, field, message))

    def graph(self, data: object) -> Graph:
        if not isinstance(data, Mapping):
            self.fault("", "", _("A journey's graph must be an object with “nodes” and “edges”."))
            return Graph()
        self._no_others(data, frozenset({"nodes", "edges"}), "", "")
        nodes = [self._node(one, n) for n, one in enumerate(self._list(data, "nodes", MAX_NODES))]
        edges = [self._edge(one, n) for n, one in enumerate(self._list(data, "edges", MAX_EDGES))]
        graph = Graph(
            tuple(node for node in nodes if node is not None),
            tuple(edge for edge in edges if edge is not None),
        )
        self._no_doubles(graph)
        return graph

    def _list(self, data: Mapping[str, Any], key: str, most: int) -> Sequence[object]:
        items = data.get(key, ())
        if not isinstance(items, list | tuple):
            self.fault("", key, _("This must be a list."))
            return ()
        if len(items) > most:
            message = _("There may be at most %(most)d, and there are %(n)d.")
            self.fault("", key, message % {"most": most, "n": len(items)})
            return ()
        return items

    def _node(self, data: object, n: int) -> Node | None:
        place = f"nodes.{n}"
        if not isinstance(data, Mapping):
            self.fault("", place, _("A node must be an object with “id” and “kind”."))
            return None
        before = len(self.problems)
        node_id = self._name(data, "id", "", place)
        kind = self._name(data, "kind", node_id, f"{place}.kind" if not node_id else "kind")
        self._no_others(data, _NODE_KEYS, node_id, "" if node_id else place)
        settings = self._settings(data.get("settings", {}), node_id)
        position = self._position(data.get("position"), node_id)
        note = self._note(data.get("note", ""), node_id)
        if len(self.problems) > before:
            return Node(node_id, kind) if node_id else None
        return Node(node_id, kind, settings, position, note)

    def _settings(self, data: object, node: str) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            self.fault(node, "settings", _("Settings must be an object."))
            return _EMPTY
        try:
            frozen: Mapping[str, Any] = _freeze(data)
        except _Unfreezable as fault:
            self.fault(node, "settings", str(fault))
            return _EMPTY
        return frozen

    def _position(self, data: object, node: str) -> tuple[float, float] | None:
        if data is None:
            return None
        if isinstance(data, list | tuple) and len(data) == 2:
            x, y = data
            if _is_coordinate(x) and _is_coordinate(y):
                return (x, y)
        self.fault(node, "position", _("A position must be two numbers, such as [120, 80]."))
        return None

    def _note(self, data: object, node: str) -> str:
        if isinstance(data, str) and len(data) <= MAX_NOTE:
            return data
        message = _("A note must be a text of at most %(n)d characters.")
        self.fault(node, "note", message % {"n": MAX_NOTE})
        return ""

    def _edge(self, data: object, n: int) -> Edge | None:
        place = f"edges.{n}"
        if not isinstance(data, Mapping):
            message = _("An edge must be an object with “source”, “port” and “target”.")
            self.fault("", place, message)
            return None
        before = len(self.problems)
        self._no_others(data, _EDGE_KEYS, "", place)
        source = self._name(data, "source", "", f"{place}.source")
        port = self._name({"port": "next", **data}, "port", "", f"{place}.port")
        target = self._name(data, "target", "", f"{place}.target")
        return None if len(self.problems) > before else Edge(source, port, target)

    def _name(self, data: Mapping[str, Any], key: str, node: str, place: str) -> str:
        value = data.get(key)
        if isinstance(value, str) and len(value) <= MAX_ID and _ID.fullmatch(value):
            return value
        message = _("“%(key)s” must be 1 to %(n)d letters, digits, “-” or “_”.")
        self.fault(node, place, message % {"key": key, "n": MAX_ID})
        return ""

    def _no_others(
        self, data: Mapping[str, Any], known: frozenset[str], node: str, place: str
    ) -> None:
        for key in data:
            if key not in known:
                message = _("There is no such key here; known are: %(keys)s.")
                where = f"{place}.{key}" if place else str(key)
                self.fault(node, where, message % {"keys": ", ".join(sorted(known))})

    def _no_doubles(self, graph: Graph) -> None:
        seen: set[str] = set()
        for node in graph.nodes:
            if node.id in seen:
                self.fault(node.id, "id", _("Two nodes have this id. Rename one of them."))
            seen.add(node.id)
        ways: set[tuple[str, str]] = set()
        for edge in graph.edges:
            if (edge.source, edge.port) in ways:
                message = _("Two edges leave this way out. A run can take only one: remove one.")
                self.fault(edge.source, f"ports.{edge.port}", message)
            ways.add((edge.source, edge.port))


def _is_coordinate(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
