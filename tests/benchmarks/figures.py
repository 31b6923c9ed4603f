"""What a benchmark found: two sides of one run, their ratio, and the goal."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

#: A machine that others share is that unsteady: only a ratio worse than half its goal is a fault.
TOLERANCE = 2.0


@dataclass(frozen=True)
class Reached:
    """What was reached where a goal is not: the check is then against this.

    Attributes:
        ratio: Of the usual size, on a quiet machine.
        on: When that was.
    """

    ratio: float
    on: date


@dataclass(frozen=True)
class Figure:
    """Ours and a baseline, measured in one run.

    Attributes:
        name: What was measured.
        ours, baseline: Medians over the rounds.
        ratio: The median of the rounds' own ratios.
        goal: What the ratio should reach, or stay under.
        better: Whether a higher or a lower ratio is better.
        unit: Of `ours` and `baseline`.
        reached: What is judged by, for a goal that is not reached yet.
    """

    name: str
    ours: float
    baseline: float
    ratio: float
    goal: float
    better: Literal["higher", "lower"]
    unit: str
    reached: Reached | None = None

    @classmethod
    def of_rounds(
        cls,
        name: str,
        rounds: Sequence[tuple[float, float]],
        *,
        goal: float,
        better: Literal["higher", "lower"],
        unit: str,
        reached: Reached | None = None,
    ) -> Figure:
        """Sum up rounds of `(ours, baseline)`, each measured side by side."""
        return cls(
            name=name,
            ours=statistics.median(ours for ours, _baseline in rounds),
            baseline=statistics.median(baseline for _ours, baseline in rounds),
            ratio=statistics.median(ours / baseline for ours, baseline in rounds),
            goal=goal,
            better=better,
            unit=unit,
            reached=reached,
        )

    @property
    def distance(self) -> float:
        """How many times better than its goal the ratio is; under 1 it misses it."""
        return self._times_better_than(self.goal)

    @property
    def failed(self) -> bool:
        """Whether the ratio is worse than half its goal, or half of what was once reached."""
        mark = self.goal if self.reached is None else self.reached.ratio
        return self._times_better_than(mark) < 1 / TOLERANCE

    def _times_better_than(self, mark: float) -> float:
        if self.better == "higher":
            return self.ratio / mark
        return mark / max(self.ratio, 1e-9)

    def line(self) -> str:
        """`bench NAME: ours=… baseline=… ratio=… goal=…`."""
        sign = ">=" if self.better == "higher" else "<="
        return (
            f"bench {self.name}: ours={self.ours:.3f}{self.unit} "
            f"baseline={self.baseline:.3f}{self.unit} ratio={self.ratio:.3f} goal={sign}{self.goal}"
            + ("" if self.reached is None else f" reached={self.reached.ratio}")
        )


@dataclass(frozen=True)
class Report:
    """A benchmark's figures, and what else is worth keeping."""

    figures: Sequence[Figure]
    details: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write everything as JSON, making the folder at need."""
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = [
            {**asdict(figure), "distance": figure.distance, "failed": figure.failed}
            for figure in self.figures
        ]
        text = json.dumps({"figures": figures, "details": self.details}, indent=2, default=str)
        path.write_text(text + "\n", encoding="utf-8")
