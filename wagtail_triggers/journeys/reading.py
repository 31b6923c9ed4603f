"""A graph read for people: its outline, nested and numbered, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from .graph import Graph
from .outline import OutlineItem, outline
from .problems import InvalidGraph, Problem
from .surroundings import SiteSurroundings
from .validate import validate

#: Longer than any graph that validation lets through.
MAX_TEXT = 512 * 1024


@dataclass(slots=True)
class Branch:
    """A line of the outline with the lines below it, each under the answer that leads there."""

    item: OutlineItem
    number: int
    below: list[Branch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a graph says: its lines, and what is wrong with it.

    `fault` is set where the text is no JSON at all; then there is nothing else.
    """

    branches: tuple[Branch, ...] = ()
    problems: tuple[Problem, ...] = ()
    fault: str = ""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What stands in the way of publishing."""
        return tuple(one for one in self.problems if one.severity == "error")

    @property
    def nodes_at_fault(self) -> tuple[str, ...]:
        """The steps with errors that have a line in the outline, in its order."""
        if not self.branches:
            return ()
        return tuple(dict.fromkeys(one.node for one in self.errors if one.node))

    @property
    def loose_problems(self) -> tuple[Problem, ...]:
        """Problems that no line of the outline shows: the whole graph's, or those of no outline."""
        return tuple(one for one in self.problems if not one.node or not self.branches)


def read_text(text: str | None, site_id: int | None) -> Reading:
    """Read a graph from text, as it stands in the textarea.

    Args:
        text: The JSON; nothing and "{}" are a graph that is still empty.
        site_id: The site whose templates the steps name.
    """
    if len(text or "") > MAX_TEXT:
        return Reading(fault=_("This is too long for a journey. Shorten it."))
    try:
        data = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno, "message": error.msg}
        return Reading(
            fault=_("Line %(line)d, column %(column)d: this is not valid JSON (%(message)s).")
            % place
        )
    except (ValueError, RecursionError):
        return Reading(fault=_("This is not valid JSON."))
    return read_json(data, site_id)


def read_json(data: Any, site_id: int | None) -> Reading:
    """Read a graph from its JSON form, whatever is wrong with it."""
    try:
        graph = Graph.from_json(data)
    except InvalidGraph as fault:
        return Reading(problems=fault.problems)
    surroundings = SiteSurroundings(site_id)
    problems = validate(graph, surroundings) if graph.nodes else ()
    return Reading(tuple(_nest(outline(graph, surroundings))), problems)


def problems_of(data: Any, site_id: int | None) -> tuple[Problem, ...]:
    """Return everything that is wrong with a graph, an empty one included."""
    try:
        graph = Graph.from_json(data)
    except InvalidGraph as fault:
        return fault.problems
    return validate(graph, SiteSurroundings(site_id))


def _nest(items: Sequence[OutlineItem]) -> Iterator[Branch]:
    """Turn depths into a tree; steps that follow each other at one depth stay side by side.

    What comes behind a fork is deeper than the fork, so it lies below the last shallower line.
    """
    open_at: dict[int, Branch] = {}
    for number, item in enumerate(items, start=1):
        branch = Branch(item, number)
        above = open_at.get(item.depth - 1) if item.depth else None
        if above is None:
            yield branch
        else:
            above.below.append(branch)
        open_at[item.depth] = branch
        for deeper in [depth for depth in open_at if depth > item.depth]:
            del open_at[deeper]
