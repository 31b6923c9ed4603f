"""F12: one journey of many raises at its step, for everybody in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from unittest import mock

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.people import enrolled, people
from tests.shop import journey, template
from wagtail_triggers.core import clock
from wagtail_triggers.engine import advance, database, lifecycle, recovery, runner
from wagtail_triggers.engine.advance import Progress
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.engine.store import DueRun, Failure
from wagtail_triggers.journeys.models import Journey

SCENARIO = Scenario(
    name="F12",
    title="one journey of many fails at its step, for everybody in it",
    promise=(
        "its runs are parked after 3 tries with what was raised, and it pauses itself; the others "
        "lose at most 5 % of their speed; tried again after the repair, its runs go on"
    ),
    broken="a batch fails as a whole",
    small=500,
    broken_small=300,
    full=10_000,
)
WHY = "ArithmeticError: a host's own step"


def run(chaos: Chaos) -> Report:
    """Move everybody twice: once with all journeys well, once with one that fails."""
    number = 20 if chaos.plan.small else 100
    entry = {"kind": "entry", "event": "order_placed"}
    key = template("Hello")
    plans = [journey(f"J{n}", [entry, {"kind": "send", "template": key}]) for n in range(number)]
    report = chaos.report()
    rounds = chaos.messages // 2 // number
    # The fastest of several: a small one is over before the machine is at rest.
    waves = 3 if chaos.plan.small and not chaos.broken else 1
    with races.provider(), mock.patch.object(database, "RETRY_AFTER", timedelta(0)):
        _wave(plans, rounds, "warm", ())
        calm = min(_wave(plans, rounds, f"calm{n}", ()) for n in range(waves))
        poison = plans[number // 2]
        with _failing(poison, isolated=not chaos.broken):
            hot = min(_wave(plans, rounds, f"hot{n}", (poison,)) for n in range(waves))
            parked = _look(report, poison, isolated=not chaos.broken)
        report.extra["tried again after the repair"] = _repair(poison, parked)
        races.finish()
        report.count((1 + 2 * waves) * rounds * number, races.deliveries())
    loss = 100 * (1 - calm / hot) if hot else 0.0
    report.extra |= {
        "journeys": number,
        "processor time for each healthy run": f"{calm * 1000:.2f} ms, then {hot * 1000:.2f} ms",
        "speed lost by the healthy": f"{loss:.1f} %",
    }
    # A small run's figure is mostly noise: it is shown, and judged with room.
    report.demand(loss <= (40.0 if chaos.plan.small else 5.0), "the others lose at most 5 %")
    report.demand(report.duplicates == 0, "nothing comes twice")
    return report


def _wave(plans: Sequence[Journey], each: int, name: str, ill: Sequence[Journey]) -> float:
    """Put so many people into each journey and move them; processor seconds per healthy run."""
    for number, plan in enumerate(plans):
        enrolled(plan, people(each, prefix=f"{name}{number}-"))
    healthy = Enrolment.objects.exclude(journey__in=ill).filter(state="active").count()
    began = time.process_time()
    drain(lambda: run_due(100), seconds=600)
    return (time.process_time() - began) / max(1, healthy)


def _failing(poison: Journey, *, isolated: bool) -> ExitStack:
    """Have the step of one journey raise; and let that fail a whole batch, if told so."""
    follow = advance.follow

    def fails(run: Any, plan: Any, node: str) -> Progress:
        if run.journey_id == poison.pk:
            raise ArithmeticError("a host's own step")
        return follow(run, plan, node)

    def together(runs: Sequence[DueRun], *more: Any) -> tuple[list[Progress], list[Failure]]:
        return [fails(due.run, due.plan, due.node) for due in runs], []

    stack = ExitStack()
    stack.enter_context(mock.patch.object(runner, "follow", fails))
    if not isolated:
        stack.enter_context(mock.patch.object(runner, "decide", together))
        stack.enter_context(mock.patch.object(database, "_halve", return_value=0))
    return stack


def _look(report: Report, poison: Journey, *, isolated: bool) -> list[int]:
    """What has become of the journey that fails; its parked runs."""
    recovery.reap()
    poison.refresh_from_db()
    rows = Enrolment.objects.filter(journey=poison)
    parked = list(rows.filter(state="parked").values_list("pk", "tries", "reason"))
    stuck = Enrolment.objects.exclude(journey=poison).filter(state="active").count()
    report.extra |= {
        "parked": f"{len(parked)}: {sorted({(tries, why) for _pk, tries, why in parked})}",
        "the journey": f"{poison.state}: {poison.pause_reason}",
        "healthy runs that did not move": stuck,
    }
    report.demand(
        bool(parked) and {(tries, why) for _pk, tries, why in parked} == {(3, WHY)},
        "each of its runs is parked after 3 tries, with what was raised",
    )
    report.demand(stuck == 0, "every healthy run moves")
    report.demand(poison.state == Journey.State.PAUSED, "the journey has paused itself")
    return [pk for pk, _tries, _why in parked]


def _repair(poison: Journey, parked: list[int]) -> int:
    """What an editor does: let the journey go on, and try its parked runs again."""
    lifecycle.resume(poison)
    count = lifecycle.retry_parked(parked, clock.now())
    moment = clock.now()
    Enrolment.objects.filter(wake_at__gt=moment).update(wake_at=moment)
    drain(run_due, seconds=60)
    return count
