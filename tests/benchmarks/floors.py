"""What was reached where a goal is not: a run is judged by this, so that it can fail all the same.

Each was measured on that day, on two cores that other programs were busy on as well. Whoever makes
something faster writes the better ratio here; a worse one needs a reason.
"""

from __future__ import annotations

from datetime import date

from tests.benchmarks.figures import Reached

_TODAY = date(2026, 11, 22)
_REACHED = {
    "p1 insert": Reached(1.0, _TODAY),
    "p1 delay": Reached(0.68, _TODAY),
    "p2": Reached(0.6, _TODAY),
    "p4": Reached(0.1, _TODAY),
    "p4 two workers": Reached(1.2, _TODAY),
    "p6": Reached(1.6, _TODAY),
    "p6 bulk": Reached(0.94, _TODAY),
    "p12": Reached(0.12, _TODAY),
}


def reached(name: str) -> Reached | None:
    """What was reached of this figure, or None where its goal is."""
    return _REACHED.get(name)
