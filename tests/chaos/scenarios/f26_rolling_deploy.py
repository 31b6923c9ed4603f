"""F26: a deployment every few seconds: SIGTERM to one worker after the other, with new ones."""

from __future__ import annotations

import signal
import time

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F26",
    title="rolling restarts by SIGTERM, old and new workers side by side",
    promise="lost 0, duplicates 0, and a clean stop leaves nothing in doubt",
    broken="SIGKILL instead of SIGTERM: no time to finish",
    small=300,
    broken_small=150,
    full=5_000,
)


def run(chaos: Chaos) -> Report:
    """Answer orders while one worker after the other is replaced."""
    orders = chaos.messages // len(crowd.EVERY_SORT)
    expected = orders * len(crowd.EVERY_SORT)
    crowd.thanks(crowd.EVERY_SORT)
    crowd.place(orders)
    chaos.sink.perform(pause=0.12 if chaos.plan.small else 0.05)
    crew = crowd.Crew(chaos.nursery)
    crew.start()
    crowd.started_delivering(chaos)
    report = chaos.report()
    longest, unclean = 0.0, 0
    most = 4 if chaos.plan.small else 20
    while report.kills < most and not crowd.all_settled(expected):
        crew.add_worker()
        old = crew.workers.pop(0)
        time.sleep(chaos.chance.uniform(0.2, 0.8))
        if chaos.broken:
            chaos.nursery.kill(old)
        else:
            began = time.monotonic()
            chaos.nursery.signal(old, signal.SIGTERM)
            unclean += not chaos.nursery.wait(old, 60)
            longest = max(longest, time.monotonic() - began)
        report.kills += 1
    crowd.settle(expected, idle=chaos.lease + 30)
    report.count(expected, chaos.sink.deliveries())
    doubts = Message.objects.filter(ambiguous__gt=0).count()
    report.extra |= {"in doubt": doubts, "longest stop": f"{longest:.1f} s", "unclean": unclean}
    report.demand(doubts == 0, "a stop leaves nothing in doubt")
    report.demand(unclean == 0, "every worker stops when it is told to")
    report.demand(report.duplicates == report.unknown == 0, "nothing comes twice or is in doubt")
    report.demand(report.kills >= 2, "workers were replaced")
    return report
