"""The graph as a list to read: what a person goes through, from the top to the bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .graph import Graph, Node
from .problems import Problem
from .steps.base import Role, Surroundings
from .structure import Structure
from .validate import validate


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """One line of the outline.

    `depth` grows by one behind each fork; `port` is the label of the answer that leads here, or
    "". `again` says that the way comes back to a node that is listed above: nothing follows then.
    `label` and `icon` are of the kind, `sentence` says what this very step does, without a full
    stop. `problems` are those of the node.
    """

    node: str
    depth: int
    label: str
    sentence: str
    icon: str = ""
    port: str = ""
    again: bool = False
    problems: tuple[Problem, ...] = ()


def outline(graph: Graph, surroundings: Surroundings) -> tuple[OutlineItem, ...]:
    """Return the lines: what watches all the time, each entry with what follows, then the rest.

    Every node comes at least once, also in a graph that is wrong; an unknown kind or wrong
    settings are said in the line's place.
    """
    return tuple(_Outline(graph, surroundings).lines())


class _Outline:
    def __init__(self, graph: Graph, surroundings: Surroundings) -> None:
        self.graph = graph
        self.surroundings = surroundings
        self.structure = Structure.of(graph)
        self.problems: dict[str, list[Problem]] = {}
        for problem in validate(graph, surroundings):
            self.problems.setdefault(problem.node, []).append(problem)
        self.listed: set[str] = set()

    def lines(self) -> Iterator[OutlineItem]:
        yield from self._walk(self._of_role(Role.WATCH))
        yield from self._walk(self._of_role(Role.ENTRY))
        for node in self.graph.nodes:
            if node.id not in self.listed:
                yield from self._walk([node.id])

    def _of_role(self, role: Role) -> list[str]:
        return [node for node, kind in self.structure.kinds.items() if kind.role is role]

    def _walk(self, starts: Iterable[str]) -> Iterator[OutlineItem]:
        """Yield what follows each start. A stack, since a journey can be as long as it likes."""
        stack = [(start, 0, "") for start in reversed(list(starts))]
        while stack:
            node_id, depth, port = stack.pop()
            again = node_id in self.listed
            yield self._line(self.graph.by_id[node_id], depth, port, again)
            if not again:
                self.listed.add(node_id)
                stack += reversed(list(self._following(node_id, depth)))

    def _following(self, node: str, depth: int) -> Iterator[tuple[str, int, str]]:
        step = self.structure.steps.get(node)
        if step is None:  # its ports are not known: follow whatever edges were drawn
            ports = [(edge.port, edge.port) for edge in self.graph.edges if edge.source == node]
        else:
            ports = [(port.name, str(port.label)) for port in step.ports()]
        for name, label in ports:
            target = self.graph.targets.get((node, name))
            if target is not None and target in self.graph.by_id:
                forks = len(ports) > 1
                yield target, depth + forks, label if forks else ""

    def _line(self, node: Node, depth: int, port: str, again: bool) -> OutlineItem:
        kind = self.structure.kinds.get(node.id)
        step = self.structure.steps.get(node.id)
        sentence = (
            step.describe(self.surroundings) if step else _("This step cannot be read as it is")
        )
        return OutlineItem(
            node=node.id,
            depth=depth,
            label=str(kind.label) if kind else node.kind,
            sentence=_("Go on above: %(sentence)s") % {"sentence": sentence} if again else sentence,
            icon=kind.icon if kind else "warning",
            port=port,
            again=again,
            problems=() if again else tuple(self.problems.get(node.id, ())),
        )
