"""Split: a random share of the people goes each way, and each person always the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field, field_validator

from ...experiments.drawing import draw
from .base import Port, Run, Step, StepSettings, Surroundings
from .branch_paths import PortName
from .decisions import Act, Advance, Assign, Decision
from .registry import register_step


class Variant(StepSettings):
    """One way on: `name` is the port; `weight` counts against the sum of all weights."""

    name: PortName
    weight: Annotated[int, Field(ge=0, le=10_000, strict=True)] = 1
    label: Annotated[str, Field(max_length=100)] = ""


class SplitSettings(StepSettings):
    """The variants."""

    variants: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=10)]

    @field_validator("variants")
    @classmethod
    def _make_a_split(cls, value: tuple[Variant, ...]) -> tuple[Variant, ...]:
        if len({variant.name for variant in value}) < len(value):
            raise ValueError(_t("Two variants have one name. Rename one of them."))
        if not any(variant.weight for variant in value):
            raise ValueError(_t("All weights are 0, so nobody could go on. Give one a weight."))
        return value


def experiment_of(journey_id: int, node: str) -> str:
    """Return the key under which a node of a journey remembers who has which variant."""
    return f"journey:{journey_id}:{node}"


def assigned(run: Run, shares: Sequence[tuple[str, int]]) -> Decision:
    """Send the run the person's own way, which is drawn and remembered at the first time.

    Args:
        run: The run at the node that splits.
        shares: The ways with their weights. A person keeps theirs although the weights change; one
            whose way is no longer there is drawn anew.
    """
    experiment = experiment_of(run.journey_id, run.node)
    held = run.assignments.get(experiment)
    names = {name for name, _weight in shares}
    if held in names:
        return Advance(held)
    variant = draw(experiment, str(run.contact_id), shares)
    if held is not None:  # an assignment is for good: the row that names the lost way stays
        return Advance(variant, _t("the variant “%(name)s” is no longer there") % {"name": held})
    return Act((Assign(experiment, variant),), variant)


@register_step
class SplitStep(Step[SplitSettings]):
    """Sends people along the variants by chance, in the proportion of the weights."""

    identifier = "split"
    label = _("Random split")
    description = _("Sends a share of the people each way; a person always goes the same way.")
    icon = "triggers-split"
    reads = frozenset()
    Settings = SplitSettings

    def ports(self) -> tuple[Port, ...]:
        """Return the variants."""
        return tuple(Port(one.name, one.label or one.name) for one in self.settings.variants)

    def decide(self, run: Run) -> Decision:
        """Go the person's own way."""
        return assigned(run, [(one.name, one.weight) for one in self.settings.variants])

    def experiment(self, journey_id: int, node: str) -> str:
        """Return the key of this split."""
        return experiment_of(journey_id, node)

    def describe(self, surroundings: Surroundings) -> str:
        """Return "By chance: 50 % a, 50 % b"."""
        whole = sum(one.weight for one in self.settings.variants)
        shares = ", ".join(
            f"{100 * one.weight / whole:.4g} % {one.label or one.name}"
            for one in self.settings.variants
        )
        return _t("By chance: %(shares)s") % {"shares": shares}
