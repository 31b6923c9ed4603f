"""The scenarios: every module of `scenarios/` is one. To add one, add a file.

A module holds `SCENARIO` and `run(chaos)`, which returns a report. It is imported once Django is
set up, and run once the servers stand.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Scenario:
    """One fault.

    Attributes:
        name: As in the list of faults: F1.
        title: What goes wrong.
        promise: What must hold all the same.
        broken: What `--broken` takes away; the promise must break then.
        small: Messages (or what it counts) in CI.
        full: Messages by default.
        broken_small: As `small`, with the protection gone; 0: as `small`.
        alone: It kills the servers that others stand on.
    """

    name: str
    title: str
    promise: str
    broken: str
    small: int
    full: int
    broken_small: int = 0
    alone: bool = False

    def small_size(self, *, broken: bool) -> int:
        """The size of the run in CI."""
        return (self.broken_small if broken else 0) or self.small


@cache
def scenarios() -> dict[str, Scenario]:
    """All scenarios by name, in the order of the list of faults."""
    found = {}
    for name in _modules():
        scenario: Scenario = importlib.import_module(name).SCENARIO
        found[scenario.name] = scenario
    return dict(sorted(found.items(), key=lambda item: int(item[0][1:])))


def module_of(name: str) -> str:
    """The module that carries a scenario out."""
    for module in _modules():
        if importlib.import_module(module).SCENARIO.name == name:
            return module
    raise KeyError(name)


def _modules() -> list[str]:
    folder = Path(__file__).with_name("scenarios")
    return [
        f"tests.chaos.scenarios.{info.name}"
        for info in pkgutil.iter_modules([str(folder)])
        if info.name.startswith("f")
    ]
