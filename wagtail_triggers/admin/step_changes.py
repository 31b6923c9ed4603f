"""What differs between two graphs, as the admin shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext_lazy as _

from ..journeys.comparing import Mark, StepChange, compare
from ..journeys.graph import Graph
from ..journeys.problems import InvalidGraph
from ..journeys.surroundings import SiteSurroundings
from .step_words import LABELS, humanised

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Word, icon and colour of each mark: the colour never stands alone.
MARKS: Final[Mapping[Mark, tuple[StrOrPromise, str, str]]] = {
    Mark.ADDED: (_("added"), "plus", "positive"),
    Mark.REMOVED: (_("removed"), "minus", "critical"),
    Mark.CHANGED: (_("changed"), "edit", "warning"),
}


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change of one step, with the words for its mark and its settings."""

    change: StepChange
    word: StrOrPromise
    icon: str
    tone: str
    settings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes of steps; `unreadable` where one of the two graphs cannot be read."""

    steps: tuple[ShownChange, ...] = ()
    unreadable: bool = False

    @property
    def marks(self) -> dict[str, str]:
        """By step, what became of it: for the canvas."""
        return {one.change.node: str(one.change.mark) for one in self.steps}


def changes_of(old: Any, new: Any, site_id: int) -> Changes:
    """Compare two graphs as JSON."""
    try:
        before, after = Graph.from_json(old or {}), Graph.from_json(new or {})
    except InvalidGraph:
        return Changes(unreadable=True)
    return Changes(tuple(_shown(one) for one in compare(before, after, SiteSurroundings(site_id))))


def _shown(change: StepChange) -> ShownChange:
    word, icon, tone = MARKS[change.mark]
    settings = tuple((setting_name(s.path), s.before, s.after) for s in change.settings)
    return ShownChange(change, word, icon, tone, settings)


def setting_name(path: str) -> str:
    """Return "reentry.rule" as "Coming again, Rule": the words of the form, from the outside in."""
    parts = path.split(".")
    return ", ".join(
        part if part.isdecimal() else str(LABELS.get(part, humanised(part))) for part in parts
    )
