"""F26: a deployment every few seconds: SIGTERM to one worker after the other, with new ones.

The new ones are of a later release, whose tables have been changed while the old ones work: it
knows columns that the old one does not, gives its hints arguments that the old one does not take,
and hints at tasks that the old one has never heard of. It is taken back, and comes again.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import Any

from celery import current_app
from django.db import DatabaseError, connection, models, transaction

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F26",
    title="rolling restarts by SIGTERM, two releases side by side, forth and back and forth",
    promise=(
        "lost 0, duplicates 0, and a clean stop leaves nothing in doubt; what one release writes "
        "the other one carries on"
    ),
    broken="SIGKILL instead of SIGTERM: no time to finish",
    small=300,
    full=5_000,
)
#: What the later release adds: (table, column). The old release leaves it to the database.
COLUMNS = (("message", "release"), ("enrolment", "release"))
OLD, NEW = "old", "new"


def run(chaos: Chaos) -> Report:
    """Answer orders while one worker after the other is replaced."""
    orders = chaos.messages // len(crowd.EVERY_SORT)
    expected = orders * len(crowd.EVERY_SORT)
    most = 6 if chaos.plan.small else 24
    crowd.thanks(crowd.EVERY_SORT)
    chaos.sink.perform(pause=0.12 if chaos.plan.small else 0.05)
    crew = crowd.Crew(chaos.nursery)
    crew.start()
    share = orders // (most + 1)
    crowd.place(orders - share * most)
    crowd.started_delivering(chaos)
    _migrate()
    report = chaos.report()
    longest, unclean = 0.0, 0
    while report.kills < most:
        # Two old ones become new, two new ones old, and so on: a release is taken back, too.
        crew.plant = f"{__name__}.later_release" if report.kills // 2 % 2 == 0 else ""
        crew.add_worker()
        old = crew.workers.pop(0)
        # There is something in hand, and some is left for whoever is there afterwards.
        crowd.place(share, prefix=f"d{report.kills}-")
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
    _judge(report, longest, unclean)
    return report


def _judge(report: Report, longest: float, unclean: int) -> None:
    doubts = Message.objects.filter(ambiguous__gt=0).count()
    by_release = {table: dict(_written(table)) for table, _column in COLUMNS}
    states = set(Enrolment.objects.values_list("state", flat=True))
    report.extra |= {
        "in doubt": doubts,
        "longest stop": f"{longest:.1f} s",
        "unclean": unclean,
        "written by each release": by_release,
        "states of runs": sorted(states),
    }
    report.demand(doubts == 0, "a stop leaves nothing in doubt")
    report.demand(unclean == 0, "every worker stops when it is told to")
    report.demand(report.duplicates == report.unknown == 0, "nothing comes twice or is in doubt")
    report.demand(set(by_release["message"]) == {OLD, NEW}, "both releases have planned messages")
    report.demand(states == {"completed"}, "every run comes to its end")
    report.demand(report.kills >= 2, "workers were replaced")


def _written(table: str) -> Counter[str]:
    with connection.cursor() as cursor:
        # S608: the table is one of ours.
        cursor.execute(f"SELECT release, count(*) FROM wagtail_triggers_{table} GROUP BY 1")  # noqa: S608
        return Counter(dict(cursor.fetchall()))


def _migrate() -> None:
    """The later release's migration, as the docs want it: short locks, tried again, a default."""
    for table, column in COLUMNS:
        for _try in range(200):
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '500ms'")
                    cursor.execute(
                        f"ALTER TABLE wagtail_triggers_{table} ADD COLUMN {column} "
                        f"varchar(8) NOT NULL DEFAULT '{OLD}'"
                    )
                break
            except DatabaseError:
                time.sleep(0.1)
        else:
            raise RuntimeError(f"The table of {table} could not be had for half a second.")


def later_release() -> None:
    """Become a worker of the later release."""
    from wagtail_triggers import tasks

    for model in (Message, Enrolment):
        model.add_to_class("release", models.CharField(max_length=8, default=NEW))
    for name in ("tick", "route", "run", "send_transactional", "send_bulk", "jobs", "reap"):
        task = getattr(tasks, name)
        task.run = _with_argument(task.run)
    send_task = current_app.send_task

    def send(name: str, **more: Any) -> Any:
        send_task("wagtail_triggers.unheard_of", queue=more["queue"], ignore_result=True,
                  connection=more["connection"], retry=False, expires=60)  # fmt: skip
        return send_task(name, kwargs={"reason": "a later release"}, **more)

    setattr(current_app, "send_task", send)  # noqa: B010 - planted


def _with_argument(run: Any) -> Any:
    def work(reason: str = "") -> Any:
        return run()

    return work
