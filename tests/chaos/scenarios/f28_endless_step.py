"""F28: a host's own step that never returns, and that swallows whatever would interrupt it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from wagtail_triggers.engine import runner
from wagtail_triggers.engine.advance import follow
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.messages.models import MessageClass

SCENARIO = Scenario(
    name="F28",
    title="a step that never returns, and swallows what would interrupt it",
    promise=(
        "Celery's time limit ends the worker; the run is parked after 3 of them, with its reason; "
        "everybody else goes on, and no worker is wedged"
    ),
    broken="no time limit",
    small=90,
    broken_small=60,
    full=2_000,
)
#: The customer whose step does not return.
STUCK = ("p7",)
TRIES = 3
#: Seconds after which a task is told to end, and is ended. In the product 70 and 80.
SOFT, HARD = 2, 3


def run(chaos: Chaos) -> Report:
    """Answer orders; one of the runs never comes back from its step."""
    crowd.thanks([("email", MessageClass.TRANSACTIONAL)])
    crowd.place(chaos.messages)
    chaos.sink.perform(pause=0.01)
    well = chaos.messages - len(STUCK)
    planted = "plant_without_limit" if chaos.broken else "plant"
    crew = crowd.Crew(chaos.nursery, plant=f"{__name__}.{planted}")
    crew.start()
    patience = 5 * chaos.lease if chaos.broken else 25 * (chaos.lease + HARD)
    others = crowd.wait_for(lambda: crowd.settled() >= well, patience, every=0.3)
    parked = Enrolment.objects.filter(state=Enrolment.State.PARKED)
    crowd.wait_for(lambda: parked.count() == len(STUCK), patience, every=0.3)
    crowd.wait_for(lambda: len(chaos.nursery.children()) == 4, 20)
    began = _begun(chaos.folder)
    report = chaos.report()
    report.kills = sum(began.values())
    report.count(well, chaos.sink.deliveries())
    report.extra |= {
        "the step was begun": began,
        "parked": sorted(parked.values_list("contact__first_name", "tries", "reason")),
        "workers that are alive": len(chaos.nursery.children()),
    }
    report.demand(others, "everybody else goes on")
    report.demand(
        set(parked.values_list("contact__first_name", flat=True)) == set(STUCK),
        "they are parked, and nobody else is",
    )
    # Each try is a worker; and so may be a batch that it is found in before it is taken alone.
    report.demand(max(began.values(), default=99) <= 2 * TRIES + 1, "after 3 tries of its own")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(len(chaos.nursery.children()) == 4, "no worker is wedged")
    return report


def _begun(folder: Path) -> dict[str, int]:
    return {name: len(list(folder.glob(f"{name}-*.stuck"))) for name in STUCK}


def plant() -> None:
    """One person's step never returns; tasks have seconds instead of minutes."""
    from wagtail_triggers import tasks

    for name in ("run", "reap"):
        task = getattr(tasks, name)
        task.soft_time_limit, task.time_limit = SOFT, HARD
    _stick()


def plant_without_limit() -> None:
    """The same, and nothing ends them."""
    from wagtail_triggers import tasks

    for name in ("run", "reap"):
        task = getattr(tasks, name)
        task.soft_time_limit = task.time_limit = None
    _stick()


def _stick() -> None:
    def stuck(run: Any, *more: Any) -> Any:
        name = str(run.key).partition(":")[2]
        if name in STUCK:
            folder = Path(django_settings.CHAOS_FOLDER)
            number = len(list(folder.glob(f"{name}-*.stuck")))
            (folder / f"{name}-{number}-{os.getpid()}.stuck").touch()
            while True:
                try:
                    while True:
                        pass
                except Exception:  # noqa: S112 - it swallows what would interrupt it
                    continue
        return follow(run, *more)

    setattr(runner, "follow", stuck)  # noqa: B010 - planted
