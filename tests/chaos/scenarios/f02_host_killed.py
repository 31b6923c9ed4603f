"""F2: SIGKILL of everything at once, as when a machine loses its power."""

from __future__ import annotations

import random
import time

from django.conf import settings as django_settings

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from wagtail_triggers.conf import TASK_REAP
from wagtail_triggers.messages.models import Message, MessageClass

SCENARIO = Scenario(
    name="F2",
    title="SIGKILL of all workers and the beat at once, as when a machine loses its power",
    promise=(
        "lost 0; duplicates 0 over an idempotent provider and none of marketing over any; what was "
        "held goes on within the lease + 30 s"
    ),
    broken="no reaper",
    small=300,
    broken_small=120,
    full=5_000,
)
SORTS = (*crowd.IDEMPOTENT, ("plain", MessageClass.MARKETING))


def run(chaos: Chaos) -> Report:
    """Answer orders while the whole machine dies and comes back."""
    orders = chaos.messages // len(SORTS)
    expected = orders * len(SORTS)
    crowd.thanks(SORTS)
    crowd.place(orders)
    chaos.sink.perform(pause=0.05)
    crew = crowd.Crew(chaos.nursery, _without_reaper() if chaos.broken else {})
    crew.start()
    crowd.started_delivering(chaos)
    held: dict[int, float] = {}

    def lose_power() -> bool:
        if not _held():
            return False
        for pid in (*crew.workers, crew.beat):
            chaos.nursery.kill(pid)
        moment = time.monotonic()
        for pk in _held():
            held.setdefault(pk, moment)
        crew.workers.clear()
        crew.start()
        return True

    outages = 2 if chaos.plan.small else 10
    monkey = crowd.Monkey(chaos.chance, (0.5, 1.5) if chaos.plan.small else (5.0, 20.0))
    monkey.rage({"power": lose_power}, lambda: crowd.all_settled(expected), most=outages)
    resumed = _wait_for(held, chaos.lease + (8 if chaos.plan.small and chaos.broken else 30))
    crowd.settle(expected, idle=2 if chaos.broken else chaos.lease + 30)
    report = chaos.report()
    report.kills = monkey.kills
    report.count(expected, chaos.sink.deliveries())
    report.extra["held when the power went"] = len(held)
    report.extra["held for at most"] = f"{resumed:.1f} s (lease {chaos.lease:.0f} s)"
    report.demand(monkey.kills > 0 and bool(held), "something was held when the power went")
    report.demand(resumed <= chaos.lease + 30, "what was held goes on within the lease + 30 s")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(report.unknown <= monkey.kills * 4, "one in doubt for each process")
    return report


def _without_reaper() -> dict[str, object]:
    schedule = django_settings.CELERY_BEAT_SCHEDULE
    return {
        "CELERY_BEAT_SCHEDULE": {
            name: entry for name, entry in schedule.items() if entry["task"] != TASK_REAP
        }
    }


def _held() -> list[int]:
    states = (Message.State.CLAIMED, Message.State.SENDING)
    return list(Message.objects.filter(state__in=states).values_list("pk", flat=True))


def _wait_for(held: dict[int, float], patience: float) -> float:
    """Seconds after which the last of them was taken from the dead; infinite if one never was."""
    waiting, longest = dict(held), 0.0
    ends = time.monotonic() + patience
    while waiting and time.monotonic() < ends:
        still = set(_held()) & waiting.keys()
        for pk in waiting.keys() - still:
            longest = max(longest, time.monotonic() - waiting.pop(pk))
        time.sleep(0.1 + random.random() / 10)
    return float("inf") if waiting else longest
