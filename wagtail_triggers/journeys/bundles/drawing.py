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
#: Above the first line, where it says what begins the journey, and ways jump over steps.
MARGIN: Final = 38
#: How many places a step that watches takes, with what it watches for beside it.
WATCH_PLACES: Final = 3


@dataclass(frozen=True, slots=True)
class Dot:
    """A step. `x` and `y` are its middle, `label` is a word or two, `sentence` what it does."""

    x: int
    y: int
    icon: str
    look: str
    label: str
    sentence: str
    beside: bool = False

    @property
    def icon_x(self) -> int:
        """The left of its icon."""
        return self.x - 8

    @property
    def icon_y(self) -> int:
        """The top of its icon."""
        return self.y - 8

    @property
    def label_x(self) -> int:
        """Where its label begins, or the middle of it."""
        if self.beside:
            return self.x + RADIUS + 6
        return self.x - RADIUS if self.look == "entry" else self.x

    @property
    def label_y(self) -> int:
        """The line on which its label stands."""
        if self.beside:
            return self.y + 4
        # Above: the step behind may have a label of its own below.
        return self.y - RADIUS - 7 if self.look == "entry" else self.y + RADIUS + 13

    @property
    def anchor(self) -> str:
        """Where the label begins or has its middle, as SVG calls it."""
        return "start" if self.beside or self.look == "entry" else "middle"


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
        places[node] = (number * WATCH_PLACES, rows)
    events = surroundings.events()
    dots = tuple(
        _dot(node, place, structure, sentences.get(node, ""), events)
        for node, place in places.items()
    )
    right = [(dot.x + (WATCH_PLACES - 1) * ACROSS if dot.beside else dot.x) for dot in dots]
    width = max(right, default=0) + ACROSS // 2
    height = max((dot.y for dot in dots), default=0) + 2 * RADIUS
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


def _dot(
    node: str,
    place: tuple[int, int],
    structure: Structure,
    sentence: str,
    events: Mapping[str, str],
) -> Dot:
    kind, step = structure.kinds.get(node), structure.steps.get(node)
    column, row = place
    return Dot(
        x=ACROSS // 2 + column * ACROSS,
        y=MARGIN + row * DOWN,
        icon=kind.icon if kind else "warning",
        look=_look(kind),
        label=_label(step.settings, events) if step else "",
        sentence=sentence,
        beside=kind is not None and kind.role is Role.WATCH,
    )


def _look(kind: Any) -> str:
    if kind is None:
        return "unknown"
    if kind.sends:
        return "send"
    return {Role.ENTRY: "entry", Role.WATCH: "watch"}.get(kind.role, "step")


def _label(settings: Any, events: Mapping[str, str]) -> str:
    """What it takes to read a drawing: how long, at what time, and which event."""
    if isinstance(settings, Duration):
        return settings.describe()
    for name in ("timeout", "deadline"):
        if isinstance(longest := getattr(settings, name, None), Duration):
            return f"≤ {longest.describe()}"
    at, event = getattr(settings, "at", None), getattr(settings, "event", None)
    if isinstance(at, str):
        return at
    return str(events.get(event, event)) if isinstance(event, str) else ""


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
