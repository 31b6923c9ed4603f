"""Why a condition did not hold: the leaves that decided it, with what they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from .condition_leaves import Done, EventData, Fact, InSegment, MessageWas
from .conditions import AllOf, AnyOf, Condition, Not
from .steps.base import Evidence

#: Of what was found so much is kept: enough to recognise it, too little to fill a table.
LONGEST: Final = 120
#: And so many values, and so many leaves of one condition.
MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Blame:
    """One leaf that decided.

    Attributes:
        leaf: The leaf.
        holds: What it said. True where it stands under a "not" and should not have held.
        found: What it looked at, cut short; None where nothing was there.
    """

    leaf: Condition
    holds: bool
    found: Any

    def to_json(self) -> dict[str, Any]:
        """Return what is kept."""
        return {"leaf": self.leaf.to_json(), "holds": self.holds, "found": self.found}


def blames(condition: Condition | None, evidence: Evidence) -> list[Blame]:
    """Return why `condition` does not hold; [] where it does.

    Of conditions that must all hold it is the first that does not, of those of which one is enough
    it is each of them.
    """
    if condition is None:
        return []
    return _of(condition, evidence, wanted=True)[:MOST]


def _of(condition: Condition, evidence: Evidence, *, wanted: bool) -> list[Blame]:
    """The leaves by which `condition` is not what is `wanted`; each is asked once."""
    if isinstance(condition, Not):
        return _of(condition.of, evidence, wanted=not wanted)
    if not isinstance(condition, AllOf | AnyOf):
        holds = condition.holds(evidence)
        return [] if holds is wanted else [Blame(condition, holds, found_by(condition, evidence))]
    first_is_enough = isinstance(condition, AllOf) is wanted
    every: list[Blame] = []
    for one in condition.of:
        wrong = _of(one, evidence, wanted=wanted)
        if first_is_enough and wrong:
            return wrong
        if not first_is_enough and not wrong:
            return []
        every += wrong
    return every


def found_by(leaf: Condition, evidence: Evidence) -> Any:
    """Return what a leaf looked at, as JSON and cut short; None for a kind of a host's own."""
    match leaf:
        case Fact():
            return _kept(evidence.contact.get(leaf.name))
        case EventData():
            values = leaf.values(evidence)
            return _kept(values[0] if len(values) == 1 else values or None)
        case Done() | MessageWas() | InSegment():
            return leaf.holds(evidence)
        case _:
            return None


def _kept(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_kept(one) for one in value[:MOST]]
    if isinstance(value, Mapping):
        return None
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
