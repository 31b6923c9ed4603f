"""The compiled plan: what router and runner ask, answered from memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..exceptions import UnknownIdentifier
from .condition_leaves import Match, matches
from .conditions import Condition, evaluate
from .durations import UTC_ZONE
from .graph import Graph
from .problems import InvalidGraph
from .reentry import Reentry
from .steps.base import ANY_EVENT, EventView, Occurrence, Step
from .steps.entry import EntryStep
from .steps.goal import GoalStep
from .structure import Structure

#: What a step that is not known may look at.
_EVERYTHING: Final = Step.reads


@dataclass(frozen=True, slots=True)
class Entry:
    """A door into the journey. A run that comes in here begins at the node `first`."""

    node: str
    event: str
    filter: Condition | None
    reentry: Reentry
    first: str

    def admits(
        self,
        event: EventView,
        contact: Mapping[str, Any],
        zone: ZoneInfo = UTC_ZONE,
        segments: frozenset[str] = frozenset(),
    ) -> bool:
        """Say whether `event` of a contact with these facts passes name and filter."""
        if event.name != self.event:
            return False
        return evaluate(
            self.filter, Occurrence(contact, event, zone, event.refs, segments=segments)
        )


@dataclass(frozen=True, slots=True)
class Goal:
    """An event that ends a run at once; `converts` says whether it counts as a success."""

    node: str
    event: str
    match: Match
    filter: Condition | None
    converts: bool


@dataclass(frozen=True)
class Plan:
    """A journey as it is carried out. Immutable, shared between runs and threads.

    `history_events` are the names of the events that the steps look for in `Run.history`;
    `goal_events` those that can end a run; `entry_events` those that can start one.
    """

    steps: Mapping[str, Step[Any]]
    entries: tuple[Entry, ...]
    goals: tuple[Goal, ...]
    history_events: frozenset[str]
    goal_events: frozenset[str]
    entry_events: frozenset[str]
    node_ids: frozenset[str]
    #: Segments that its steps and doors ask about.
    segments: frozenset[str]
    #: Nodes that remember a variant (`Step.experiment`).
    experiment_nodes: frozenset[str]
    _targets: Mapping[tuple[str, str], str] = field(repr=False)

    def step(self, node: str) -> Step[Any]:
        """Return the step at `node`; raise UnknownIdentifier if this plan has no such node."""
        try:
            return self.steps[node]
        except KeyError:
            raise UnknownIdentifier(
                f"This version of the journey has no node {node!r}. Move the run to a node that "
                "it has, or end it."
            ) from None

    def next(self, node: str, port: str = "next") -> str:
        """Return the id of the node behind `port`; raise UnknownIdentifier if nothing is."""
        try:
            return self._targets[node, port]
        except KeyError:
            raise UnknownIdentifier(
                f"In this version of the journey nothing follows the port {port!r} of the node "
                f"{node!r}. The step must decide for one of its ports: "
                f"{', '.join(p.name for p in self.step(node).ports()) or 'it has none'}."
            ) from None

    def wakes(self, node: str, event: str) -> bool:
        """Say whether an event of this name wakes a run that waits at `node`."""
        step = self.steps.get(node)
        names = step.wakes_on() if step is not None else frozenset()
        return event in names or ANY_EVENT in names

    def reads(self, node: str) -> frozenset[str]:
        """What steps look at (`Step.reads`), from `node` on up to the next that takes time."""
        return self._reads.get(node, _EVERYTHING)

    @cached_property
    def _reads(self) -> Mapping[str, frozenset[str]]:
        """By node: its own, and those of all that may be asked in the same turn."""
        behind: dict[str, set[str]] = {}
        for (source, _port), target in self._targets.items():
            behind.setdefault(source, set()).add(target)
        found: dict[str, frozenset[str]] = {}
        for node, first in self.steps.items():
            seen, open_ends, names = {node}, [node], set(first.reads)
            while open_ends:
                for target in behind.get(open_ends.pop(), set()) - seen:
                    seen.add(target)
                    names |= self.steps[target].reads
                    if not self.steps[target].takes_time:
                        open_ends.append(target)
            found[node] = frozenset(names)
        return found

    def entries_for(self, event: str) -> tuple[Entry, ...]:
        """Return the entries that start on the event of this name, in the graph's order."""
        return self._entries_by_event.get(event, ())

    @cached_property
    def _entries_by_event(self) -> Mapping[str, tuple[Entry, ...]]:
        return {
            event: tuple(entry for entry in self.entries if entry.event == event)
            for event in self.entry_events
        }

    def match_goal(
        self,
        run_refs: frozenset[str],
        event: EventView,
        contact: Mapping[str, Any] = MappingProxyType({}),
        zone: ZoneInfo = UTC_ZONE,
        segments: frozenset[str] = frozenset(),
    ) -> Goal | None:
        """Return the first goal that `event` reaches for a run about `run_refs`, or None.

        Goals that convert come first, so that a success is never recorded as a mere leaving.
        """
        if event.name not in self.goal_events:
            return None
        occurrence = Occurrence(contact, event, zone, run_refs, segments=segments)
        for goal in self.goals:
            if (
                goal.event == event.name
                and matches(goal.match, event, run_refs)
                and evaluate(goal.filter, occurrence)
            ):
                return goal
        return None


def compile_graph(graph: Graph) -> Plan:
    """Compile a graph that is sound by itself (`validate` asks of its surroundings too).

    Raises InvalidGraph (a GraphError), with all problems, if it is not.
    """
    structure = Structure.of(graph)
    errors = [one for one in structure.problems() if one.severity == "error"]
    if errors:
        raise InvalidGraph(errors)
    built, targets = structure.steps, graph.targets
    entries = tuple(
        Entry(node, s.event, s.filter, s.reentry, targets[node, "next"])
        for node, step in built.items()
        if isinstance(step, EntryStep)
        for s in (step.settings,)
    )
    goals = sorted(
        (
            Goal(node, s.event, s.match, s.filter, s.converts)
            for node, step in built.items()
            if isinstance(step, GoalStep)
            for s in (step.settings,)
        ),
        key=lambda goal: not goal.converts,
    )
    return Plan(
        steps=MappingProxyType(dict(built)),
        entries=entries,
        goals=tuple(goals),
        history_events=frozenset().union(*(step.listens_for() for step in built.values())),
        goal_events=frozenset(goal.event for goal in goals),
        entry_events=frozenset(entry.event for entry in entries),
        node_ids=frozenset(built),
        segments=frozenset().union(*(step.segments() for step in built.values())),
        experiment_nodes=frozenset(
            node for node, step in built.items() if step.experiment(0, node) is not None
        ),
        _targets=targets,
    )


#: Versions that are live or still have people in flight; at about 100 KiB each for large graphs.
CACHED_PLANS = 256

_cache: OrderedDict[int, tuple[Mapping[str, Any], Plan]] = OrderedDict()
_cache_lock = Lock()


#: Plans by the digest of their version's graph.
_by_digest: OrderedDict[str, Plan] = OrderedDict()


def known_plan(digest: str) -> Plan | None:
    """Return the plan of the graph with this digest, if this process has compiled it."""
    with _cache_lock:
        if digest in _by_digest:
            _by_digest.move_to_end(digest)
        return _by_digest.get(digest)


def keep_plan(digest: str, plan: Plan) -> None:
    """Remember the plan of the graph with this digest."""
    with _cache_lock:
        _by_digest[digest] = plan
        while len(_by_digest) > CACHED_PLANS:
            _by_digest.popitem(last=False)


def plan_for(version_id: int, graph_json: Mapping[str, Any]) -> Plan:
    """Return the plan of a frozen version, compiled once per process.

    The JSON is compared as well as the id, so that a database that was rolled back or built anew
    never gets another one's plan. Raises InvalidGraph if it does not compile.
    """
    with _cache_lock:
        held = _cache.get(version_id)
        if held is not None and held[0] == graph_json:
            _cache.move_to_end(version_id)
            return held[1]
    plan = compile_graph(Graph.from_json(graph_json))
    with _cache_lock:
        _cache[version_id] = (deepcopy(graph_json), plan)
        _cache.move_to_end(version_id)
        while len(_cache) > CACHED_PLANS:
            _cache.popitem(last=False)
    return plan
