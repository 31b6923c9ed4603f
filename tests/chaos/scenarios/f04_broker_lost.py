"""F4: the broker forgets everything, dies, comes back empty, or accepts and never answers."""

from __future__ import annotations

import time
from collections import Counter

import redis
from django.conf import settings as django_settings

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.chaos.shop import Checkouts, buy
from tests.chaos.worker import app
from wagtail_triggers.core.queue import publisher
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F4",
    title="FLUSHALL, SIGKILL and SIGSTOP of the broker",
    promise=(
        "lost 0, duplicates 0; no checkout waits for the broker; everything has caught up within "
        "60 s of its return"
    ),
    broken="bare Celery: the broker carries the work, a task for each mail",
    small=240,
    broken_small=200,
    full=5_000,
    alone=True,
)


def run(chaos: Chaos) -> Report:
    """Sell while the broker is not to be relied on."""
    return _bare(chaos) if chaos.broken else _ours(chaos)


def _deeds(chaos: Chaos) -> list[str]:
    rounds = 1 if chaos.plan.small else 20
    deeds = ["flush", "kill"] * rounds + ["stop"] * (1 if chaos.plan.small else 5)
    chaos.chance.shuffle(deeds)
    return deeds


def _do(chaos: Chaos, deed: str) -> None:
    valkey = chaos.world.valkey
    if deed == "flush":
        redis.Redis.from_url(chaos.settings["CELERY_BROKER_URL"]).flushall()
    elif deed == "kill":
        valkey.restart(down=1.5 if chaos.plan.small else chaos.chance.uniform(1, 20))
    else:
        with valkey.stopped():
            time.sleep(4 if chaos.plan.small else 60)


def _ours(chaos: Chaos) -> Report:
    expected = chaos.messages // 2 * 2
    crowd.thanks()
    chaos.sink.perform(pause=0.03)
    django_settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    crew = crowd.Crew(chaos.nursery)
    crew.start()
    deeds = _deeds(chaos)
    seconds = 14 if chaos.plan.small else 8 * len(deeds)
    customers = Checkouts(expected // 2, expected / 2 / seconds, place=buy)
    crowd.started_delivering(chaos)
    report = chaos.report()
    with crew.supervised():
        for deed in deeds:
            time.sleep(chaos.chance.uniform(0.5, 1.0 if chaos.plan.small else 6.0))
            _do(chaos, deed)
            report.kills += 1
        customers.wait(seconds + 60)
        returned = time.monotonic()
        crowd.settle(expected, idle=75)
        caught_up = time.monotonic() - returned
    report.count(expected, chaos.sink.deliveries())
    report.extra |= {
        "deeds": dict(sorted(Counter(deeds).items())),
        "hints that did not reach the broker": publisher.failures,
        "processes that gave up, and were started again": crew.revived,
        "longest checkout": f"{customers.longest:.2f} s, refused {customers.refused}",
        "caught up after": f"{caught_up:.1f} s",
        "resumed after (p99, at most)": "{:.1f} s, {:.1f} s".format(*_waits()),
    }
    report.demand(customers.refused == 0, "no checkout is refused")
    # A naive hint waits for 25 s and more.
    report.demand(customers.longest < 2.0, "no checkout waits for the broker")
    report.demand(caught_up <= 60, "everything has caught up within 60 s")
    report.demand(report.duplicates == report.unknown == 0, "nothing comes twice or is in doubt")
    return report


def _waits() -> tuple[float, float]:
    """How long a message waited to leave: 99 of 100 at most, and the longest."""
    waits = sorted(
        (row.settled_at - row.planned_at).total_seconds()
        for row in Message.objects.only("planned_at", "settled_at")
        if row.settled_at
    )
    if not waits:
        return float("inf"), float("inf")
    return waits[int(len(waits) * 0.99)], waits[-1]


def _bare(chaos: Chaos) -> Report:
    """A task for each mail, as most code does; acknowledged late, as careful code does."""
    chaos.sink.perform(pause=0.1)
    for number in range(chaos.messages):
        app.send_task("chaos.mail", [f"mail{number}"], queue="bare")
    worker = chaos.nursery.worker("bare", queues="bare")
    crowd.started_delivering(chaos)
    report = chaos.report()
    for deed in ("flush", "kill"):
        _do(chaos, deed)
        report.kills += 1
    before = -1
    while before != (before := sum(chaos.sink.deliveries().values())):
        time.sleep(3)
    chaos.nursery.kill(worker)
    sent = chaos.sink.deliveries()
    report.expected, report.settled = chaos.messages, len(sent)
    report.lost = chaos.messages - len(sent)
    report.duplicates = sum(count - 1 for count in sent.values())
    return report
