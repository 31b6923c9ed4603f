"""F1: SIGKILL of prefork children in the middle of a hand-over."""

from __future__ import annotations

import os
import signal
from collections import Counter

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F1",
    title="SIGKILL of a prefork child while it hands a message over",
    promise=(
        "lost 0; duplicates 0 where the provider knows the key or can be asked; over a plain one "
        "none of marketing, of the others at most as many as were in doubt; one in doubt per kill"
    ),
    broken="send, then mark as sent: what most code does",
    small=360,
    broken_small=150,
    full=6_000,
)


def run(chaos: Chaos) -> Report:
    """Answer orders with six sorts of messages while children die."""
    sorts = crowd.EVERY_SORT
    orders = chaos.messages // len(sorts)
    expected = orders * len(sorts)
    crowd.thanks(sorts)
    crowd.place(orders)
    chaos.sink.perform(pause=0.05, faults={"stall": 0.002}, stall=1.5)
    crew = crowd.Crew(chaos.nursery, plant="tests.chaos.naive.plant" if chaos.broken else "")
    crew.start()

    def kill_child() -> bool:
        children = chaos.nursery.children()
        if not children:
            return False
        os.kill(chaos.chance.choice(children), signal.SIGKILL)
        return True

    crowd.started_delivering(chaos)
    monkey = crowd.Monkey(chaos.chance, (0.3, 0.7) if chaos.plan.small else (1.0, 3.0))
    monkey.rage({"child": kill_child}, lambda: crowd.all_settled(expected) or _few_left(expected))
    crowd.settle(expected, idle=chaos.lease + 30)
    report = chaos.report()
    report.kills = monkey.kills
    report.count(expected, chaos.sink.deliveries())
    judge(report, chaos)
    return report


def _few_left(expected: int) -> bool:
    """Kill no more once only those are left that wait for a lease or for a report."""
    return crowd.settled() > 0.95 * expected


def judge(report: Report, chaos: Chaos) -> None:
    """What each sort of provider and of message was promised."""
    sent = chaos.sink.deliveries()
    doubles: Counter[tuple[str, str]] = Counter()
    doubts: Counter[tuple[str, str]] = Counter()
    parked: Counter[tuple[str, str]] = Counter()
    rows = Message.objects.values_list(
        "public_id", "channel", "message_class", "ambiguous", "state"
    )
    for key, channel, kind, ambiguous, state in rows:
        sort = (channel, kind)
        doubles[sort] += max(0, sent[str(key)] - 1)
        doubts[sort] += ambiguous > 0
        parked[sort] += state == "unknown_parked"
    for sort in sorted(doubts):
        report.extra[" ".join(sort)] = (
            f"in doubt {doubts[sort]}, parked {parked[sort]}, twice {doubles[sort]}"
        )
    stalls = sum(one["fault"] == "stall" for one in chaos.sink.requests())
    report.extra["in doubt"] = f"{sum(doubts.values())} by {report.kills} kills, {stalls} stalls"
    report.demand(report.kills > 0, "somebody was killed")
    for (channel, kind), count in doubles.items():
        at_most = doubts[channel, kind] if (channel, kind) == ("plain", "transactional") else 0
        report.demand(count <= at_most, f"{channel} {kind}: at most {at_most} twice, not {count}")
        if channel != "plain":
            report.demand(parked[channel, kind] == 0, f"{channel} {kind}: none is parked")
    report.demand(
        sum(doubts.values()) <= report.kills + stalls, "one message in doubt for each kill"
    )
