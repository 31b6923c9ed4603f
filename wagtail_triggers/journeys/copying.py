"""Values that a step writes: as the editor gave them, or copied from the event of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from .condition_leaves import EventData
from .payloads import raw_at
from .problems import Problem
from .steps.base import EventView, Surroundings

_KEYS: Final = frozenset({"event", "else"})


class Missing(Exception):
    """The event lacks the field, and the editor gave no other value. `path` is the field."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


@dataclass(frozen=True, slots=True)
class Copy:
    """`{"event": path}`: what stands there; `{"event": path, "else": v}`: v if nothing does."""

    path: str
    has_other: bool = False
    other: Any = None

    def value(self, event: EventView) -> Any:
        """Return the value; raises Missing if there is none and nothing in its place."""
        found = raw_at(event.payload, self.path)
        if found is not None and found != "":
            return found
        if self.has_other:
            return self.other
        raise Missing(self.path)

    def problems(
        self, surroundings: Surroundings, triggers: frozenset[str], field: str
    ) -> Iterable[Problem]:
        """Yield a field that no event in `triggers` has."""
        for problem in EventData(self.path, "is_set").problems(surroundings, triggers):
            yield Problem("", f"{field}.{problem.field}", problem.message, problem.severity)


def copy_in(value: object) -> Copy | None:
    """Return the copy that `value` describes, or None if it is a value by itself.

    Raises:
        ValueError: It looks like a copy, and is none.
    """
    if not isinstance(value, Mapping) or "event" not in value or value.keys() - _KEYS:
        return None
    path = value["event"]
    if not isinstance(path, str) or not path.strip():
        raise ValueError(_("“event” must name a field of the event, such as “total.amount”."))
    return Copy(path, "else" in value, value.get("else"))
