"""What differs between two graphs, in words: steps added, removed, changed, led elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext as _

from .graph import Graph, Node, thaw
from .steps.base import Port, Step, Surroundings
from .structure import Structure

#: Longer values are cut in the middle of the comparison; the whole of them is in the step itself.
MAX_VALUE: Final = 120


class Mark(StrEnum):
    """What became of a step."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting, before and after; "" where it was not there."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class WayChange:
    """One way out, with where it led and leads; "" for nowhere."""

    port: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step that differs. `before` and `after` are its sentences, the same where only more
    hidden settings, its note or its ways differ.
    """

    node: str
    mark: Mark
    label: str
    before: str
    after: str
    settings: tuple[SettingChange, ...] = ()
    ways: tuple[WayChange, ...] = ()
    note: tuple[str, str] | None = None

    @property
    def is_reworded(self) -> bool:
        """Whether what it says differs."""
        return self.before != self.after


def compare(old: Graph, new: Graph, around: Surroundings) -> tuple[StepChange, ...]:
    """Return what differs, removed steps first, then the others in the order of the new graph.

    Where steps are drawn, and in which order they are stored, is no difference.
    """
    return tuple(_Comparison(old, new, around).changes())


class _Comparison:
    def __init__(self, old: Graph, new: Graph, around: Surroundings) -> None:
        self.old, self.new, self.around = old, new, around
        self.before, self.after = Structure.of(old), Structure.of(new)

    def changes(self) -> Iterator[StepChange]:
        for node in self.old.nodes:
            if node.id not in self.new.by_id:
                told = self._tell(node, self.before)
                yield StepChange(node.id, Mark.REMOVED, self._label(node, self.before), told, "")
        for node in self.new.nodes:
            was = self.old.by_id.get(node.id)
            if was is None:
                told = self._tell(node, self.after)
                yield StepChange(node.id, Mark.ADDED, self._label(node, self.after), "", told)
            elif (change := self._changed(was, node)) is not None:
                yield change

    def _changed(self, was: Node, node: Node) -> StepChange | None:
        settings = tuple(_settings(was, node))
        ways = tuple(self._ways(node.id))
        note = (was.note, node.note) if was.note != node.note else None
        if was.kind == node.kind and not settings and not ways and note is None:
            return None
        return StepChange(
            node.id,
            Mark.CHANGED,
            self._label(node, self.after),
            self._tell(was, self.before),
            self._tell(node, self.after),
            settings,
            ways,
            note,
        )

    def _label(self, node: Node, structure: Structure) -> str:
        kind = structure.kinds.get(node.id)
        return str(kind.label) if kind is not None else node.kind

    def _tell(self, node: Node, structure: Structure) -> str:
        step = structure.steps.get(node.id)
        if step is not None:
            return step.describe(self.around)
        return _("%(kind)s, not finished") % {"kind": self._label(node, structure)}

    def _ways(self, node: str) -> Iterator[WayChange]:
        before = {port: at for (source, port), at in self.old.targets.items() if source == node}
        after = {port: at for (source, port), at in self.new.targets.items() if source == node}
        labels = {**_ports(self.before.steps.get(node)), **_ports(self.after.steps.get(node))}
        for port in dict.fromkeys([*before, *after]):
            was, now = before.get(port, ""), after.get(port, "")
            if was != now:
                yield WayChange(
                    labels.get(port, port),
                    self._place(was, self.old, self.before),
                    self._place(now, self.new, self.after),
                )

    def _place(self, node: str, graph: Graph, structure: Structure) -> str:
        return self._tell(graph.by_id[node], structure) if node in graph.by_id else node


def _ports(step: Step[Any] | None) -> dict[str, str]:
    ports: tuple[Port, ...] = step.ports() if step is not None else ()
    return {port.name: str(port.label) for port in ports}


def _settings(was: Node, node: Node) -> Iterator[SettingChange]:
    before, after = dict(_flat(thaw(was.settings))), dict(_flat(thaw(node.settings)))
    for path in dict.fromkeys([*before, *after]):
        if before.get(path) != after.get(path):
            yield SettingChange(path, before.get(path, ""), after.get(path, ""))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every leaf with its dotted path; a list is a leaf unless it holds objects."""
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _flat(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value, start=1):
            yield from _flat(one, f"{path}.{number}")
    elif path:
        yield path, _said(value)


def _said(value: Any) -> str:
    if value is True or value is False:
        return _("yes") if value else _("no")
    if value is None or value in ([], {}):
        return "—"
    if isinstance(value, list):
        text = ", ".join(_said(one) for one in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
