"""F14: a journey is paused and let go on, again and again, while its letters leave."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any
from unittest import mock

from django.db.models import F, ProtectedError

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.parallel import Strand
from tests.concurrency.people import enrolled, people
from tests.shop import journey, template
from wagtail_triggers.core import clock
from wagtail_triggers.engine import lifecycle
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F14",
    title="pausing, letting go on and deleting a journey while its letters leave",
    promise=(
        "nothing of a paused journey passes the guards between the pause's commit and the "
        "resumption; whoever was held goes on; an active journey cannot be deleted"
    ),
    broken="the guard that knows of pauses, and holding what is due",
    small=240,
    broken_small=150,
    full=4_000,
)


def run(chaos: Chaos) -> Report:
    """Half are about to be written to, half are on their way there; pause and resume."""
    entry = {"kind": "entry", "event": "order_placed"}
    plan = journey("Paused", [entry, {"kind": "send", "template": template("Hello")}])
    rows = people(chaos.messages)
    half = chaos.messages // 2
    enrolled(plan, rows[:half])
    report = chaos.report()
    pauses: list[tuple[datetime, datetime]] = []
    guarded = ("paused", "switched_off")
    with races.provider() as passed, races.without(*guarded, when=chaos.broken):
        drain(run_due, seconds=600)
        enrolled(plan, rows[half:])
        with _following(when=not chaos.broken):
            _race(plan, pauses, chaos)
        report.demand(_cannot_be_deleted(plan), "an active journey cannot be deleted")
        _go_on()
        report.count(chaos.messages, races.deliveries())
    late = [one for one in passed if any(since < one.moment < until for since, until in pauses)]
    report.kills = 0
    states = set(Enrolment.objects.values_list("state", flat=True))
    report.extra |= {
        "pauses": len(pauses),
        "passed during one": len(late),
        "passed in all": len(passed),
        "states of runs": sorted(states),
    }
    report.demand(not late, "nothing passes during a pause")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(states == {"completed"}, "whoever was held goes on to the end")
    return report


def _race(plan: Journey, pauses: list[tuple[datetime, datetime]], chaos: Chaos) -> None:
    stop = threading.Event()

    def run_people() -> None:
        while not stop.is_set():
            run_due(10)
            time.sleep(0.005)

    strands = [Strand(races.keep_sending(stop)) for _ in range(2)] + [Strand(run_people)]
    for _pause in range(5 if chaos.plan.small else 40):
        time.sleep(chaos.chance.uniform(0.05, 0.3))
        lifecycle.pause(plan)
        since = races.database_time()
        time.sleep(chaos.chance.uniform(0.1, 0.3))
        until = races.database_time()
        lifecycle.resume(plan)
        pauses.append((since, until))
    stop.set()
    for strand in strands:
        strand.wait()


def _following(*, when: bool) -> Any:
    """Rows are held, or left where they are."""
    follow = lifecycle._follow if when else (lambda switch, seconds: 0)
    return mock.patch.object(lifecycle, "_follow", follow)


def _cannot_be_deleted(plan: Journey) -> bool:
    try:
        plan.delete()
    except ProtectedError:
        return True
    return False


def _go_on() -> None:
    """The ramp after a pause, without its minutes."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        lifecycle.carry_on()
        moment = clock.now()
        Enrolment.objects.filter(wake_at__gt=moment).update(wake_at=moment)
        held = Enrolment.objects.filter(wake_at=None, held_wake_at__isnull=False, state="active")
        held.update(wake_at=F("held_wake_at"), held_wake_at=None)
        races.finish()
        if not Message.objects.exclude(state__in=Message.TERMINAL).exists():
            return
