"""F3: SIGKILL of a scheduler in the middle of a batch, at the worst of moments."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.db.models import Count

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from wagtail_triggers.core import clock
from wagtail_triggers.engine import database, recovery
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import BatchAttempt, Enrolment, StepRun
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages.models import Message, MessageClass, TemplateVersion
from wagtail_triggers.messages.sender import send_batch

SCENARIO = Scenario(
    name="F3",
    title="SIGKILL of a scheduler in the middle of a batch of runs",
    promise=(
        "the transaction rolls back; no run moves twice, no message is planned twice; another "
        "scheduler goes on within a tick"
    ),
    broken="the message is planned and the run moved without a transaction around both",
    small=400,
    broken_small=200,
    full=10_000,
)
BATCH = 40
#: Where the scheduler stands still to be killed: before it writes, in between, before it commits.
POINTS = ("before", "between", "after")


def run(chaos: Chaos) -> Report:
    """Move everybody, while one scheduler after the other is killed beside one that lives."""
    crowd.thanks([("email", MessageClass.TRANSACTIONAL)])
    crowd.place(chaos.messages)
    drain(route_batch, seconds=600)
    assert Enrolment.objects.count() == chaos.messages
    chaos.sink.perform()
    report = chaos.report()
    pauses = _kill_schedulers(chaos, report)
    _finish(chaos)
    _judge(chaos, report)
    report.extra["the other one went on after"] = f"{max(pauses, default=0.0):.2f} s at most"
    report.demand(max(pauses, default=99.0) <= 5, "another scheduler goes on within a tick (5 s)")
    return report


def _kill_schedulers(chaos: Chaos, report: Report) -> list[float]:
    """Kill one at each point in turn; seconds until the other one had moved somebody."""
    pauses: list[float] = []
    batch = BATCH if chaos.plan.small else 200
    rounds = (2 if chaos.broken else 6) if chaos.plan.small else 30
    kind = "naive_scheduler" if chaos.broken else "scheduler"
    for number in range(rounds):
        if not Enrolment.objects.filter(seq=0).exists():
            break
        flag = chaos.folder / f"reached{number}"
        point = POINTS[number % len(POINTS)]
        path = f"{__name__}.{kind}"
        pid = chaos.nursery.spawn(f"s{number}", path, str(flag), point, batch)
        if crowd.wait_for(lambda flag=flag: flag.exists(), 20, every=0.02):
            chaos.nursery.kill(pid)
            report.kills += 1
            began = time.monotonic()
            if (_naive(batch, None) if chaos.broken else run_due(batch)) == 0:
                continue
            pauses.append(time.monotonic() - began)
    return pauses


def _finish(chaos: Chaos) -> None:
    """The other scheduler does the rest, and what the dead ones had announced."""

    def step() -> int:
        return _naive(BATCH, None) if chaos.broken else run_due()

    ends = time.monotonic() + chaos.lease + 60
    while Enrolment.objects.filter(state=Enrolment.State.ACTIVE).exists():
        drain(step, seconds=60)
        recovery.reap()
        time.sleep(0.2)
        if time.monotonic() > ends:
            break
    drain(lambda: send_batch(MessageClass.TRANSACTIONAL), seconds=600)


def _judge(chaos: Chaos, report: Report) -> None:
    report.count(chaos.messages, chaos.sink.deliveries())
    steps = dict(StepRun.objects.values_list("enrolment_id").annotate(Count("pk")).order_by())
    runs = dict(Enrolment.objects.values_list("pk", "seq"))
    messages = Counter(Message.objects.values_list("enrolment_id", flat=True))
    report.duplicates = sum(count - 1 for count in messages.values())
    torn = sum(steps.get(pk, 0) != seq for pk, seq in runs.items())
    states = set(Enrolment.objects.values_list("state", flat=True))
    report.extra |= {"runs half written": torn, "states of runs": sorted(states)}
    report.demand(report.duplicates == 0, "no message is planned twice")
    report.demand(torn == 0, "no run is half written")
    report.demand(states == {"completed"}, "every run comes to its end")
    report.demand(not BatchAttempt.objects.exists(), "no note of a dead batch is left")
    report.demand(report.kills >= 2, "schedulers were killed")


def _stand_still(flag: str) -> None:
    Path(flag).touch()
    time.sleep(600)


def scheduler(flag: str, point: str, batch: int) -> None:
    """One batch, standing still at `point`."""
    django_settings.WAGTAIL_TRIGGERS_NUDGE = "off"
    save = database.DatabaseBatch.save
    create = StepRun.objects.bulk_create

    def save_or_stand(self: Any, *arguments: Any) -> None:
        if point == "before":
            _stand_still(flag)
        save(self, *arguments)
        _stand_still(flag)

    def create_or_stand(*arguments: Any, **more: Any) -> Any:
        if point == "between":
            _stand_still(flag)
        return create(*arguments, **more)

    setattr(database.DatabaseBatch, "save", save_or_stand)  # noqa: B010 - a failpoint
    setattr(StepRun.objects, "bulk_create", create_or_stand)  # noqa: B010 - a failpoint
    run_due(batch)


def naive_scheduler(flag: str, point: str, batch: int) -> None:
    """What one would write first, standing still between its two statements."""
    _naive(batch, flag)


def _naive(batch: int, flag: str | None) -> int:
    version = TemplateVersion.objects.get()
    rows = list(Enrolment.objects.filter(state=Enrolment.State.ACTIVE).order_by("pk")[:batch])
    for number, row in enumerate(rows):
        moment = clock.now()
        Message.objects.create(
            site_id=row.site_id, contact_id=row.contact_id, enrolment=row, event_id=row.event_id,
            template_version=version, channel="email", message_class=version.message_class,
            idempotency_key=f"{row.pk}:{moment}", due_at=moment, planned_at=moment,
        )  # fmt: skip
        if flag and number == len(rows) // 2:
            _stand_still(flag)
        row.state, row.active_slot, row.wake_at = Enrolment.State.COMPLETED, None, None
        row.save()
    return len(rows)
