"""Branch into several paths: the first whose condition holds, or "else"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field, field_validator

from .. import conditions
from ..problems import Problem
from .base import Port, Run, Step, StepSettings, Surroundings
from .branch import BranchSettings
from .decisions import Advance, Decision
from .registry import register_step

ELSE: Final = "else"
#: A way out that an editor names; edges carry it.
PortName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class Path(BranchSettings):
    """One way on: `name` is the port, `label` what people read (the name, if empty)."""

    name: PortName
    label: Annotated[str, Field(max_length=100)] = ""


class BranchPathsSettings(StepSettings):
    """The paths, judged in this order."""

    paths: Annotated[tuple[Path, ...], Field(min_length=1, max_length=20)]

    @field_validator("paths")
    @classmethod
    def _named_apart(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        names = [path.name for path in value]
        if ELSE in names:
            raise ValueError(_t("“else” is the way of all others: give this path another name."))
        if len(set(names)) < len(names):
            raise ValueError(_t("Two paths have one name. Rename one of them."))
        return value


@register_step
class BranchPathsStep(Step[BranchPathsSettings]):
    """Sends the run along the first path whose condition holds, else through "else"."""

    identifier = "branch_paths"
    label = _("Branch into several paths")
    description = _("Asks several questions in order and goes on by the first that fits.")
    icon = "list-ul"
    Settings = BranchPathsSettings

    def ports(self) -> tuple[Port, ...]:
        """Return the paths, and "else"."""
        named = (Port(path.name, path.label or path.name) for path in self.settings.paths)
        return (*named, Port(ELSE, _("All others")))

    def decide(self, run: Run) -> Decision:
        """Judge the conditions in order, now."""
        for path in self.settings.paths:
            if conditions.evaluate(path.condition, run):
                return Advance(path.name)
        return Advance(ELSE)

    def describe(self, surroundings: Surroundings) -> str:
        """Return "By the first that fits: VIPs if …; regulars if …"."""
        paths = "; ".join(
            _t("%(path)s if %(condition)s")
            % {
                "path": path.label or path.name,
                "condition": conditions.describe(path.condition, surroundings),
            }
            for path in self.settings.paths
        )
        return _t("By the first that fits: %(paths)s") % {"paths": paths}

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield the faults of every condition."""
        for number, path in enumerate(self.settings.paths):
            place = f"paths.{number}.condition"
            yield from conditions.problems(path.condition, surroundings, triggers, place)

    def listens_for(self) -> frozenset[str]:
        """Return the events that the conditions look for."""
        return frozenset().union(
            *(conditions.listens_for(path.condition) for path in self.settings.paths)
        )

    def segments(self) -> frozenset[str]:
        """Return the segments that the conditions ask about."""
        return frozenset().union(
            *(conditions.segments(path.condition) for path in self.settings.paths)
        )

    def messages(self) -> frozenset[str]:
        """Return the nodes whose messages the conditions ask about."""
        return frozenset().union(
            *(conditions.messages(path.condition) for path in self.settings.paths)
        )
