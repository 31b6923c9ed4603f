"""One run of one scenario: a database of its own, and everything that it may use."""

from __future__ import annotations

import importlib
import random
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.db import connections

from tests import servers
from tests.chaos.nursery import Nursery, prepare
from tests.chaos.registry import Scenario, module_of, scenarios
from tests.chaos.report import Report, machine
from tests.chaos.sink import Sink
from tests.chaos.world import World, use

#: A run of so many messages or more is told nothing that is not in the product's own settings.
LARGE = 2_000


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    name: str
    messages: int
    seed: int
    broken: bool = False

    @property
    def scenario(self) -> Scenario:
        """The scenario of this name."""
        return scenarios()[self.name]

    @property
    def small(self) -> bool:
        """Whether minutes must become seconds, leases included."""
        return self.messages < LARGE


@dataclass
class Chaos:
    """What a scenario works with.

    Attributes:
        folder: For logs and pids; removed afterwards.
        nursery: Starts processes.
        chance: The seeded randomness of the run.
    """

    plan: Plan
    world: World
    folder: Path
    database: str
    settings: dict[str, Any]
    nursery: Nursery
    chance: random.Random

    @property
    def messages(self) -> int:
        """How many were asked for."""
        return self.plan.messages

    @property
    def broken(self) -> bool:
        """Whether the protection is to be taken away."""
        return self.plan.broken

    @property
    def lease(self) -> float:
        """Seconds for which a sender holds what it claimed."""
        return float(self.settings["WAGTAIL_TRIGGERS_LEASE_SECONDS"])

    def report(self) -> Report:
        """An empty report of this run."""
        return Report(self.plan.name, self.plan.seed)

    @cached_property
    def sink(self) -> Sink:
        """A provider; started when it is first asked for."""
        one = Sink(int(self.settings["CHAOS_SINK_PORT"]), self.folder / "sink.jsonl")
        arguments = (one.port, str(one.log), self.plan.seed)
        self.nursery.spawn("sink", "tests.chaos.sink.serve", *arguments)
        one.wait()
        return one


def carry_out(plan: Plan, world: World, number: int = 0) -> Report:
    """Run a scenario in this process, which has no thread and no connection yet.

    Args:
        number: Tells runs apart that share the servers: names the database and the broker's.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"triggers-chaos-{plan.name.lower()}-"))
    database = world.database(f"run{number}")
    settings: dict[str, Any] = {
        "CELERY_BROKER_URL": f"{world.broker}/{number}",
        "CHAOS_FOLDER": str(folder),
        "CHAOS_SINK_PORT": servers.free_port(),
        "CHAOS_PATIENCE": 2.0 if plan.small else 10.0,
        "WAGTAIL_TRIGGERS_LEASE_SECONDS": 5 if plan.small else 13,
    }
    for name, value in settings.items():
        setattr(django_settings, name, value)
    use(world, database)
    prepare(settings)
    nursery = Nursery(folder, settings)
    chaos = Chaos(
        plan, world, folder, database, settings, nursery, random.Random(plan.seed)
    )  # fmt: skip
    began = time.monotonic()
    try:
        report: Report = importlib.import_module(module_of(plan.name)).run(chaos)
        report.demand(report.lost == 0, "nothing is lost")
        report.where = machine()
        if report.broken and not plan.broken:
            print(nursery.logs(), flush=True)
    except BaseException:
        print(nursery.logs(), flush=True)
        raise
    finally:
        nursery.close()
        connections.close_all()
        shutil.rmtree(folder, ignore_errors=True)
    report.seconds = time.monotonic() - began
    return report


def overrides(settings: Mapping[str, Any]) -> None:
    """Set Django settings for the rest of this process."""
    for name, value in settings.items():
        setattr(django_settings, name, value)
