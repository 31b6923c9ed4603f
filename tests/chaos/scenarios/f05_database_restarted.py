"""F5: PostgreSQL is restarted in the middle of everything, as by a failover."""

from __future__ import annotations

import signal
import time

from django.conf import settings as django_settings
from django.db import DatabaseError, connection
from django.db.models import Count

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.chaos.shop import Checkouts, buy
from wagtail_triggers.engine.models import Enrolment, StepRun
from wagtail_triggers.events.models import Event

SCENARIO = Scenario(
    name="F5",
    title="immediate restarts of PostgreSQL (no checkpoint, recovery from its log)",
    promise=(
        "an event that was acknowledged is there; no run is half written; lost 0, duplicates 0; "
        "workers are back at work within 10 s"
    ),
    broken="the shop answers before the event is committed",
    small=200,
    broken_small=120,
    full=10_000,
    alone=True,
)


def run(chaos: Chaos) -> Report:
    """Sell while the database comes and goes."""
    expected = chaos.messages // 2 * 2
    crowd.thanks()
    chaos.sink.perform(pause=0.02)
    django_settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    crew = crowd.Crew(chaos.nursery)
    crew.start()
    rate = 10.0 if chaos.plan.small else 50.0 / 2
    place = _buy_and_hope if chaos.broken else buy
    customers = Checkouts(expected // 2, rate, place=place)
    crowd.started_delivering(chaos)
    report = chaos.report()
    pauses = []
    while customers.open:
        time.sleep(chaos.chance.uniform(*((1.5, 3) if chaos.plan.small else (5, 40))))
        chaos.world.postgres.restart(signal.SIGQUIT, down=0.3)
        report.kills += 1
        pauses.append(_until_work_goes_on(customers))
    customers.wait(60)
    stored = Event.objects.filter(name="order_placed").count()
    crowd.settle(stored * 2, idle=chaos.lease + 30)
    _judge(report, chaos, customers, pauses)
    return report


def _buy_and_hope(name: str) -> None:
    try:
        buy(name)
    except DatabaseError:
        connection.close()  # the customer has been told that all is well


def _until_work_goes_on(customers: Checkouts) -> float:
    """Seconds from the return of the database until a worker has done something."""
    connection.close()
    began = time.monotonic()
    before = crowd.settled()
    while crowd.settled() == before and time.monotonic() - began < 30:
        if not customers.open and crowd.quiet():
            return 0.0
        time.sleep(0.1)
    return time.monotonic() - began


def _judge(report: Report, chaos: Chaos, customers: Checkouts, pauses: list[float]) -> None:
    acknowledged = set(customers.acknowledged)
    stored = set(Event.objects.filter(name="order_placed").values_list("key", flat=True))
    missing = len(acknowledged - stored)
    steps = dict(StepRun.objects.values_list("enrolment_id").annotate(Count("pk")).order_by())
    torn = sum(
        steps.get(pk, 0) != seq or state != "completed"
        for pk, seq, state in Enrolment.objects.values_list("pk", "seq", "state")
    )
    report.count(len(acknowledged) * 2, chaos.sink.deliveries())
    report.lost += missing
    report.extra |= {
        "acknowledged events that are missing": missing,
        "checkouts told to come again": customers.refused,
        "longest such answer": f"{customers.longest_refused:.2f} s",
        "runs half written": torn,
        "workers back after": f"{max(pauses, default=0.0):.1f} s at most",
    }
    report.demand(missing == 0, "what was acknowledged is there")
    report.demand(torn == 0, "no run is half written")
    report.demand(report.duplicates == report.unknown == 0, "nothing comes twice or is in doubt")
    report.demand(max(pauses, default=99.0) <= 10, "workers are back within 10 s")
    report.demand(report.kills >= 2, "the database was restarted")
