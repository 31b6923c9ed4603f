"""The part of validation that needs nothing but the graph: kinds, settings, ways, circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from .graph import Edge, Graph, Node, thaw
from .problems import Problem, did_you_mean
from .setting_faults import setting_faults
from .steps.base import Role, Step
from .steps.registry import steps as step_kinds


@dataclass(frozen=True)
class Structure:
    """A graph whose kinds and settings have been read. Build it with `Structure.of`.

    `steps` lacks the nodes whose settings are wrong; `kinds` lacks those of unknown kind.
    """

    graph: Graph
    kinds: Mapping[str, type[Step[Any]]]
    steps: Mapping[str, Step[Any]]
    faults: tuple[Problem, ...]

    @classmethod
    def of(cls, graph: Graph) -> Structure:
        """Read every node; what cannot be read is in `faults`."""
        kinds: dict[str, type[Step[Any]]] = {}
        built: dict[str, Step[Any]] = {}
        faults: list[Problem] = []
        for node in graph.nodes:
            if node.kind not in step_kinds:
                message = _("There is no kind of step “%(kind)s”.") % {"kind": node.kind}
                hint = did_you_mean(node.kind, step_kinds.all())
                faults.append(Problem(node.id, "kind", message + hint))
                continue
            kinds[node.id] = step_kinds.get(node.kind)
            try:
                built[node.id] = build(node)
            except ValidationError as error:
                faults += setting_faults(node, error)
        return cls(graph, kinds, built, tuple(faults))

    def problems(self) -> tuple[Problem, ...]:
        """Return everything that is wrong with the graph by itself."""
        return (
            *self.faults,
            *self._entry_problems(),
            *(found for edge in self.graph.edges for found in self._edge_problems(edge)),
            *(found for node in self.graph.nodes for found in self._port_problems(node)),
            *self._message_problems(),
            *self._unreachable(),
            *self._circles(),
        )

    @cached_property
    def reachable(self) -> frozenset[str]:
        """The ids of the nodes to which a way leads from an entry, entries included."""
        seen: set[str] = set()
        todo = [node for node, kind in self.kinds.items() if kind.role is Role.ENTRY]
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += self._followers[node]
        return frozenset(seen)

    @cached_property
    def _followers(self) -> Mapping[str, list[str]]:
        ways: dict[str, list[str]] = {node.id: [] for node in self.graph.nodes}
        for edge in self.graph.edges:
            if edge.source in ways and edge.target in ways:
                ways[edge.source].append(edge.target)
        return ways

    def _entry_problems(self) -> Iterator[Problem]:
        unread = len(self.kinds) < len(self.graph.nodes)
        if not unread and not any(kind.role is Role.ENTRY for kind in self.kinds.values()):
            yield Problem(
                "", "nodes", _("Nothing starts this journey. Add an entry, and join it to a step.")
            )

    def _edge_problems(self, edge: Edge) -> Iterator[Problem]:
        by_id = self.graph.by_id
        if edge.source not in by_id:
            message = _("An edge begins at “%(id)s”, and there is no such node.")
            yield Problem("", "edges", message % {"id": edge.source})
            return
        place = f"ports.{edge.port}"
        if edge.target not in by_id:
            message = _("This leads to “%(id)s”, and there is no such node.") % {"id": edge.target}
            yield Problem(edge.source, place, message + did_you_mean(edge.target, by_id))
        kind, target = self.kinds.get(edge.source), self.kinds.get(edge.target)
        if kind is not None and kind.role is Role.WATCH:
            message = _("This stands apart and has no way out. Remove the edge.")
            yield Problem(edge.source, place, message)
        elif edge.source in self.steps:
            ports = {port.name for port in self.steps[edge.source].ports()}
            if edge.port not in ports:
                message = _("There is no way out “%(port)s” here.") % {"port": edge.port}
                yield Problem(edge.source, place, message + did_you_mean(edge.port, ports))
        if target is not None and target.role is Role.ENTRY:
            message = _("An edge from “%(id)s” leads here: a run only begins at an entry.")
            yield Problem(edge.target, "", message % {"id": edge.source})
        if target is not None and target.role is Role.WATCH:
            message = _(
                "An edge from “%(id)s” leads here: this watches during the whole run and is not "
                "joined to anything. Lead the edge to an end."
            )
            yield Problem(edge.target, "", message % {"id": edge.source})

    def _port_problems(self, node: Node) -> Iterator[Problem]:
        step = self.steps.get(node.id)
        if step is None or step.role is Role.WATCH:
            return
        for port in step.ports():
            if (node.id, port.name) not in self.graph.targets:
                message = _("The way out “%(port)s” leads nowhere. Join it to a step or to an end.")
                yield Problem(node.id, f"ports.{port.name}", message % {"port": port.label})

    def _message_problems(self) -> Iterator[Problem]:
        """Yield conditions that ask about the message of a node that sends none."""
        senders = {node for node, kind in self.kinds.items() if kind.sends}
        for node, step in self.steps.items():
            for asked in sorted(step.messages() - senders):
                message = _("“message” asks about “%(id)s”, and no step of this name sends one.")
                hint = did_you_mean(asked, senders)
                yield Problem(node, "message", message % {"id": asked} + hint)

    def _unreachable(self) -> Iterator[Problem]:
        if not self.reachable:
            return  # without an entry nothing can be reached, and that has been said
        for node in self.graph.nodes:
            kind = self.kinds.get(node.id)
            if kind is None or kind.role is Role.WATCH or node.id in self.reachable:
                continue
            yield Problem(
                node.id, "", _("No way leads here from an entry. Join it to one, or remove it.")
            )

    def _circles(self) -> Iterator[Problem]:
        """Yield one problem for each circle in which no step takes time.

        A run in such a circle would go round for ever at one moment. Steps that take time are
        taken out of the graph; what is still a circle then is at fault.
        """
        state: dict[str, int] = {}  # 1 on the way that is walked, 2 done
        for start in self._followers:
            if start in state or self._takes_time(start):
                continue
            state[start] = 1
            way = [(start, iter(self._followers[start]))]
            while way:
                node, rest = way[-1]
                following = next(rest, None)
                if following is None:
                    state[node] = 2
                    way.pop()
                elif state.get(following) == 1:
                    yield self._circle([one for one, _rest in way], following)
                elif following not in state and not self._takes_time(following):
                    state[following] = 1
                    way.append((following, iter(self._followers[following])))

    def _takes_time(self, node: str) -> bool:
        kind = self.kinds.get(node)
        return kind is None or kind.takes_time

    def _circle(self, way: list[str], closes_at: str) -> Problem:
        circle = way[way.index(closes_at) :]
        message = _(
            "The steps %(ids)s form a circle without a wait: a run would never come out. Put a "
            "wait into it."
        )
        return Problem(circle[-1], "", message % {"ids": " → ".join([*circle, closes_at])})


def build(node: Node) -> Step[Any]:
    """Return the step that `node` stands for.

    Raises UnknownIdentifier for a kind that is not registered and pydantic's ValidationError for
    settings that it refuses.
    """
    kind = step_kinds.get(node.kind)
    return kind(kind.Settings.model_validate(thaw(node.settings)))
