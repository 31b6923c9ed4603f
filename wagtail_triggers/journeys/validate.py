"""Whether a journey makes sense, by itself and in its surroundings: before it is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .graph import Graph
from .problems import InvalidGraph, Problem, Severity
from .steps.base import Surroundings
from .steps.entry import EntryStep
from .structure import Structure

__all__ = ["Problem", "Severity", "has_errors", "validate", "validate_json"]


def validate(graph: Graph, surroundings: Surroundings) -> tuple[Problem, ...]:
    """Return everything that is wrong with `graph`, in the order of its nodes; empty if nothing.

    Each problem names the node at fault. A graph without errors compiles.
    """
    structure = Structure.of(graph)
    found = [*structure.problems(), *_settings_problems(structure, surroundings)]
    order = {node.id: n for n, node in enumerate(graph.nodes)}
    return tuple(sorted(found, key=lambda problem: order.get(problem.node, -1)))


def validate_json(data: object, surroundings: Surroundings) -> tuple[Problem, ...]:
    """Do the same for the JSON form, which need not even be a graph."""
    try:
        graph = Graph.from_json(data)
    except InvalidGraph as fault:
        return fault.problems
    return validate(graph, surroundings)


def has_errors(problems: tuple[Problem, ...]) -> bool:
    """Say whether any of `problems` stands in the way of publishing."""
    return any(problem.severity == "error" for problem in problems)


def _settings_problems(structure: Structure, surroundings: Surroundings) -> Iterator[Problem]:
    triggers = frozenset(
        step.settings.event for step in structure.steps.values() if isinstance(step, EntryStep)
    )
    for node, step in structure.steps.items():
        for problem in step.problems(surroundings, triggers):
            yield replace(problem, node=node)
