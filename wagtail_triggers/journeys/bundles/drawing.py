"""A journey drawn small: which step comes after which, as places on a grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..durations import Duration
from ..graph import Graph
from ..outline import outline
from ..steps.base import Role, Surroundings
from ..structure import Structure

#: Between the middles of two steps.
ACROSS: Final = 56
DOWN: Final = 52
RADIUS: Final = 15
#: Above the first line, and below the last one, where the labels are.
MARGIN: Final = 26


@dataclass(frozen=True, slots=True)
class Dot:
    """A step. `x` and `y` are its middle; `label` is a word or two, `sentence` says what it does."""

    x: int
    y: int
    icon: str
    look: str
    label: str
    sentence: str

    @property
    def icon_x(self) -> int:
        """The left of its icon."""
        return self.x - 8

    @property
    def icon_y(self) -> int:
        """The top of its icon."""
        return self.y - 8

    @property
    def label_y(self) -> int:
        """The line on which its label stands."""
        return self.y + RADIUS + 13


@dataclass(frozen=True, slots=True)
class Drawing:
    """Steps and the ways between them (as SVG paths), and how large it is."""

    width: int
    height: int
    dots: tuple[Dot, ...]
    ways: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it shows, for those who cannot see it."""
        return tuple(dot.sentence for dot in self.dots)


def draw(graph: Graph, surroundings: Surroundings) -> Drawing:
    """Lay a graph out from the start to the end of a line; what watches stands below.

    Args:
        graph: Any graph; steps that no way leads to are left out.
        surroundings: Where steps look up the names of what they send and wait for.
    """
    structure = Structure.of(graph)
    sentences = {
        line.node: line.sentence for line in outline(graph, surroundings) if not line.again
    }
    places = _places(graph, structure)
    rows = max((row for _column, row in places.values()), default=0) + 1
    watching = [node for node, kind in structure.kinds.items() if kind.role is Role.WATCH]
    for number, node in enumerate(watching):
        places[node] = (number, rows)
    dots = tuple(
        _dot(node, place, structure, sentences.get(node, "")) for node, place in places.items()
    )
    width = max((dot.x for dot in dots), default=0) + ACROSS // 2
    height = max((dot.y for dot in dots), default=0) + MARGIN + RADIUS
    return Drawing(width, height, dots, tuple(_ways(graph, places)))


def _places(graph: Graph, structure: Structure) -> dict[str, tuple[int, int]]:
    """A column and a row for each step that can be reached.

    A column is how many steps come before at most, so that every way leads on; a row is the first
    that is free from there on, so that a branch stands below what it branches from.
    """
    order = list(_in_order(graph, structure))
    at = {node: number for number, node in enumerate(order)}
    columns = dict.fromkeys(order, 0)
    for node in order:
        for target in _followers(node, graph, structure):
            if at.get(target, -1) > at[node]:  # a way back would push everything on for ever
                columns[target] = max(columns[target], columns[node] + 1)
    rows: dict[str, int] = {}
    taken: set[tuple[int, int]] = set()
    for node in order:
        row = rows.get(node, 0)
        while (columns[node], row) in taken:
            row += 1
        taken.add((columns[node], row))
        rows[node] = row
        for number, target in enumerate(_followers(node, graph, structure)):
            if at.get(target, -1) > at[node]:
                rows[target] = min(rows.get(target, row + number), row + number)
    return {node: (columns[node], rows[node]) for node in order}


def _in_order(graph: Graph, structure: Structure) -> Iterator[str]:
    """The steps, each before those that follow it, but for ways back."""
    done: list[str] = []
    seen: set[str] = set()
    for start, kind in structure.kinds.items():
        if kind.role is not Role.ENTRY or start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(_followers(start, graph, structure)))]
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                done.append(node)
                stack.pop()
            elif following not in seen:
                seen.add(following)
                stack.append((following, iter(_followers(following, graph, structure))))
    return reversed(done)


def _followers(node: str, graph: Graph, structure: Structure) -> list[str]:
    step = structure.steps.get(node)
    ports = [port.name for port in step.ports()] if step else ["next"]
    targets = (graph.targets.get((node, port)) for port in ports)
    return [one for one in dict.fromkeys(targets) if one is not None and one in graph.by_id]


def _dot(node: str, place: tuple[int, int], structure: Structure, sentence: str) -> Dot:
    kind, step = structure.kinds.get(node), structure.steps.get(node)
    column, row = place
    return Dot(
        x=ACROSS // 2 + column * ACROSS,
        y=MARGIN + row * DOWN,
        icon=kind.icon if kind else "warning",
        look=_look(kind),
        label=_label(step.settings if step else None),
        sentence=sentence,
    )


def _look(kind: Any) -> str:
    if kind is None:
        return "unknown"
    if kind.sends:
        return "send"
    return {Role.ENTRY: "entry", Role.WATCH: "watch"}.get(kind.role, "step")


def _label(settings: Any) -> str:
    """How long or until when, for steps that take time by a clock."""
    if isinstance(settings, Duration):
        return settings.describe()
    for name in ("timeout", "deadline"):
        if isinstance(longest := getattr(settings, name, None), Duration):
            return f"≤ {longest.describe()}"
    at = getattr(settings, "at", None)
    return at if isinstance(at, str) else ""


def _ways(graph: Graph, places: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for edge in graph.edges:
        if edge.source in places and edge.target in places:
            yield _way(*(_middle(places[node]) for node in (edge.source, edge.target)))


def _middle(place: tuple[int, int]) -> tuple[int, int]:
    return ACROSS // 2 + place[0] * ACROSS, MARGIN + place[1] * DOWN


def _way(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A line from the edge of one step to the edge of another; an arc where it jumps over some."""
    (x1, y1), (x2, y2) = start, end
    if y1 == y2 and x2 - x1 == ACROSS:
        return f"M{x1 + RADIUS} {y1}H{x2 - RADIUS}"
    if y1 == y2:
        return f"M{x1} {y1 - RADIUS}C{x1 + 12} {y1 - 30} {x2 - 12} {y2 - 30} {x2} {y2 - RADIUS}"
    half = (x1 + x2) // 2
    return f"M{x1 + RADIUS} {y1}C{half} {y1} {half} {y2} {x2 - RADIUS} {y2}"
