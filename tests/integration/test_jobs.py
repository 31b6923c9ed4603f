"""Jobs: what steps have done outside, from the asking to the answer, and every way to go wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.integration.asking import COUPON, TASK, buyers, forked, jobs, ports
from tests.shop import ADA, line, order
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import memory_coupons
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.coupons import Creation
from wagtail_triggers.core.http import Fate
from wagtail_triggers.engine import lifecycle
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.jobs import claim, worker
from wagtail_triggers.engine.jobs.base import Verdict
from wagtail_triggers.engine.jobs.claim import take
from wagtail_triggers.engine.jobs.worker import work_batch
from wagtail_triggers.engine.models import Enrolment, Job, StepRun
from wagtail_triggers.engine.recovery import reap as reap_all
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.scheduler import due_tasks
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import TriggersSettings
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LEASE = timedelta(seconds=90)


@pytest.fixture(autouse=True)
def _shop(clock: FrozenClock, outbox: list[Outgoing], settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_COUPONS = {
        "BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"
    }
    memory_coupons.clear()


@pytest.fixture
def plan(_shop: None) -> Journey:
    """A coupon for every order."""
    return forked(COUPON, {"next": [], "failed": []})


def test_job_is_asked_for_once_carried_out_and_lets_the_run_go_on(plan: Journey) -> None:
    buyers(1)
    run = Enrolment.objects.get()
    job = Job.objects.get()
    assert (run.node, run.waiting, run.seq, job.seq, job.state) == ("ask", True, 1, 1, "planned")
    assert (job.kind, job.node, job.contact_id) == ("coupon", "ask", run.contact_id)
    assert job.deadline == run.wake_at == run.arrived_at + DAY
    assert due_tasks() == ["wagtail_triggers.jobs"]
    assert run_due() == 0
    assert memory_coupons.asked == []
    assert work_batch() == 1
    job.refresh_from_db()
    run.refresh_from_db()
    assert (job.state, job.attempts, job.tries, job.token, job.due_at) == ("done", 1, 0, None, None)
    assert job.reference == memory_coupons.asked[0]
    assert run.wake_at == job.settled_at
    assert work_batch() == 0
    run_until_idle()
    run.refresh_from_db()
    assert (run.state, ports()) == ("completed", ["next"])
    assert len(memory_coupons.asked) == 1


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Creation(Fate.NEVER_LEFT, detail="busy", retry_after=120), 120),
        (Creation(Fate.AMBIGUOUS, detail="no answer", retry_after=7), 7),
    ],
)
def test_job_that_did_not_work_is_tried_again_when_the_other_side_asked_to(
    plan: Journey, clock: FrozenClock, answer: Creation, wait: int
) -> None:
    memory_coupons.script([answer])
    buyers(1)
    work_batch()
    assert jobs("state", "reason", "attempts") == [("planned", answer.detail, 1)]
    assert jobs("due_at") == [clock.read() + timedelta(seconds=wait)]
    code = Job.objects.get().reference
    clock.travel(timedelta(seconds=wait - 1))
    assert work_batch() == 0
    clock.travel(timedelta(seconds=1))
    run_until_idle()
    assert jobs("state", "reference", "attempts") == [("done", code, 2)]
    assert ports() == ["next"]
    # The ambiguous attempt did make it: the second found it, and knew it for its own.
    assert memory_coupons.asked == [code, code]
    assert list(memory_coupons.issued) == [code]


def test_job_without_a_wish_waits_a_random_time_that_doubles(
    plan: Journey, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.5)
    memory_coupons.script([Creation(Fate.NEVER_LEFT)] * 20)
    buyers(1)
    waits = []
    while Job.objects.get().state == "planned":
        before = clock.read()
        work_batch()
        job = Job.objects.get()
        if job.due_at is None:
            break
        waits.append((job.due_at - before).total_seconds())
        clock.travel(job.due_at - before)
    assert waits[:8] == [15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1800.0]
    assert waits[8:] == [1800.0] * 3
    # The twelfth attempt was the last.
    assert jobs("state", "attempts") == [("failed", 12)]
    run_until_idle()
    assert ports() == ["failed"]


def test_job_that_is_refused_fails_at_once_with_its_reason(plan: Journey) -> None:
    memory_coupons.script([Creation(Fate.REFUSED, detail="HTTP 403")])
    buyers(1)
    run_until_idle()
    assert jobs("state", "reason", "attempts") == [("failed", "HTTP 403", 1)]
    step = StepRun.objects.get(node="ask", decision="advance")
    assert (step.port, step.detail) == ("failed", {"note": "HTTP 403"})
    assert Enrolment.objects.get().state == "completed"


def test_job_whose_next_try_would_come_too_late_fails_now(
    plan: Journey, clock: FrozenClock
) -> None:
    memory_coupons.script([Creation(Fate.NEVER_LEFT, detail="down", retry_after=86_400)])
    buyers(1)
    run_until_idle()
    assert jobs("state", "reason") == [("failed", "down")]
    assert ports() == ["failed"]


def test_run_goes_on_at_the_deadline_and_its_job_is_cancelled(
    plan: Journey, clock: FrozenClock
) -> None:
    buyers(1)
    clock.travel(DAY)
    run_due()
    assert ports() == ["failed"]
    assert jobs("state", "reason", "due_at") == [
        ("cancelled", "Nobody answered in time; the run has gone on without it.", None)
    ]
    assert work_batch() == 0
    assert memory_coupons.asked == []


def test_job_that_is_in_hand_at_the_deadline_is_settled_and_wakes_nobody(
    plan: Journey, clock: FrozenClock
) -> None:
    buyers(1)
    held = take()
    job = held.jobs[0]
    assert claim.begin(job, held.token) is not None
    clock.travel(DAY)
    run_due()
    run = Enrolment.objects.get()
    assert run.state == "completed"
    assert claim.settle(job, held.token, Verdict("done", result={"code": "X"}))
    assert jobs("state") == ["done"]
    run.refresh_from_db()
    assert (run.state, run.wake_at) == ("completed", None)


def test_job_of_a_run_that_a_goal_ended_is_not_carried_out(clock: FrozenClock) -> None:
    forked(COUPON, {"next": [], "failed": []}, event="cart_abandoned")
    buyers(1)
    Enrolment.objects.all()
    plan = forked(COUPON, {"next": [], "failed": []}, name="Other")
    buyers(1, "q")
    run = Enrolment.objects.get(journey=plan)
    Enrolment.objects.filter(pk=run.pk).update(state="exited", active_slot=None, wake_at=None)
    assert work_batch() == 1
    assert jobs("state", "reason") == [("cancelled", "The run has gone on without it.")]
    assert memory_coupons.asked == []


def test_job_of_a_run_that_ends_between_claim_and_begin_is_not_carried_out(
    plan: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(2)
    original = claim.begin
    begun: list[int] = []

    def ends_first(job: Job, token: Any) -> Any:
        begun.append(job.pk)
        if len(begun) == 1:
            Enrolment.objects.filter(pk=job.enrolment_id).update(state="exited", active_slot=None)
        return original(job, token)

    monkeypatch.setattr(worker, "begin", ends_first)
    work_batch()
    assert jobs("state") == ["cancelled", "done"]
    assert len(memory_coupons.asked) == 1


def test_job_of_a_parked_run_is_asked_for_anew_when_the_run_is_tried_again(
    plan: Journey, clock: FrozenClock
) -> None:
    buyers(1)
    Enrolment.objects.update(state="parked", wake_at=None)
    lifecycle.retry_parked(Enrolment.objects.values_list("pk", flat=True), clock.read())
    run_until_idle()
    assert jobs("state") == ["cancelled", "done"]
    assert len(memory_coupons.issued) == 1
    assert Enrolment.objects.get().state == "completed"


def test_jobs_of_a_paused_journey_are_held_and_go_on_afterwards(
    plan: Journey, clock: FrozenClock
) -> None:
    buyers(3)
    lifecycle.pause(plan)
    run_until_idle()
    assert memory_coupons.asked == []
    assert jobs("state", "due_at") == [("planned", None)] * 3
    assert due_tasks() == []
    plan.refresh_from_db()
    clock.travel(HOUR)
    lifecycle.resume(plan)
    run_until_idle()
    assert jobs("state") == ["done"] * 3
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}


def test_job_that_is_claimed_when_its_journey_is_paused_is_put_aside(
    plan: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(1)
    original = claim.begin

    def paused_first(job: Job, token: Any) -> Any:
        Journey.objects.update(state="paused")
        return original(job, token)

    monkeypatch.setattr(worker, "begin", paused_first)
    work_batch()
    assert memory_coupons.asked == []
    assert jobs("state", "reason", "due_at") == [("planned", "The journey is paused.", None)]
    assert Job.objects.get().held_due_at is not None


def test_job_that_is_settled_while_its_journey_is_paused_wakes_the_run_later(
    plan: Journey, clock: FrozenClock
) -> None:
    buyers(1)
    held = take()
    claim.begin(held.jobs[0], held.token)
    lifecycle.pause(plan)
    claim.settle(held.jobs[0], held.token, Verdict("done", result={"code": "X"}))
    run = Enrolment.objects.get()
    assert (run.wake_at, run.held_wake_at) == (None, clock.read())
    assert run_due() == 0
    lifecycle.resume(Journey.objects.get())
    run_until_idle()
    assert ports() == ["next"]


def test_jobs_of_a_site_that_is_switched_off_are_held(plan: Journey, clock: FrozenClock) -> None:
    buyers(1)
    switch = TriggersSettings.for_site(plan.site)
    switch.sending_on = False
    switch.save()
    run_until_idle()
    assert memory_coupons.asked == []
    switch.sending_on = True
    switch.save()
    reap_all()
    clock.travel(5 * MINUTE)
    reap_all()
    run_until_idle()
    assert jobs("state") == ["done"]


def test_job_follows_its_person_when_contacts_are_merged(plan: Journey, clock: FrozenClock) -> None:
    buyers(1)
    held = take()
    assert claim.begin(held.jobs[0], held.token) is not None
    order("x", line(), who=ADA)
    route_batch()
    loser = Contact.objects.get(email="p0@example.com")
    winner = Contact.objects.get(email="ada@example.com")
    assert merge(loser.pk, winner.pk, moment=clock.read())
    assert claim.settle(held.jobs[0], held.token, Verdict("done", result={"code": "X"}))
    assert Job.objects.get(state="done").contact_id == winner.pk


def test_kind_that_nobody_knows_any_more_fails_with_a_reason(plan: Journey) -> None:
    buyers(1)
    Job.objects.update(kind="acme_fax")
    run_until_idle()
    assert jobs("state") == ["failed"]
    assert "Nobody knows how to do this." in jobs("reason")[0]
    assert ports() == ["failed"]


def test_kind_that_raises_is_taken_as_ambiguous_and_tried_again(
    plan: Journey, clock: FrozenClock
) -> None:
    memory_coupons.script([ZeroDivisionError("a fault of the shop's own")])
    buyers(1)
    work_batch()
    assert jobs("state", "reason") == [("planned", "ZeroDivisionError: a fault of the shop's own")]
    clock.travel(HOUR)
    run_until_idle()
    assert jobs("state") == ["done"]
    assert len(memory_coupons.issued) == 1


@pytest.mark.parametrize("fate", [Fate.NEVER_LEFT, Fate.AMBIGUOUS])
def test_endpoint_that_does_not_work_puts_the_rest_of_its_lane_off(
    plan: Journey, fate: Fate
) -> None:
    memory_coupons.script([Creation(fate)] * 10)
    buyers(10)
    assert work_batch() == 10
    assert len(memory_coupons.asked) == worker.GIVE_UP_AFTER
    assert sorted(jobs("attempts")) == [0] * 7 + [1] * 3
    assert jobs("state") == ["planned"] * 10


def test_worker_that_cannot_finish_within_its_lease_gives_back(
    plan: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(3)
    monkeypatch.setattr(worker, "_in_time", lambda claim, kind: not memory_coupons.asked)
    assert work_batch() == 3
    assert jobs("state", "token", "lease_until") == [
        ("done", None, None), ("planned", None, None), ("planned", None, None),
    ]  # fmt: skip


def test_claims_of_jobs_cost_the_same_for_few_and_for_many(plan: Journey) -> None:
    def costs(prefix: str, count: int) -> int:
        buyers(count, prefix)
        with CaptureQueriesContext(connection) as queries:
            assert len(take().jobs) == count
        Job.objects.all().delete()
        return len(queries)

    costs("warm", 1)
    few = costs("few", 2)
    assert costs("many", 20) == few
    assert few <= 12


# Tasks wait for a person


def test_task_is_open_and_no_worker_looks_at_it(clock: FrozenClock) -> None:
    forked(TASK, {"approve": [], "decline": [], "timeout": []})
    buyers(1)
    assert jobs("state", "due_at") == [("open", None)]
    assert due_tasks() == []
    assert work_batch() == 0
    clock.travel(2 * DAY)
    run_until_idle()
    assert jobs("state", "reason") == [
        ("cancelled", "Nobody answered in time; the run has gone on without it.")
    ]
    assert ports() == ["timeout"]


def test_carrying_out_a_job_costs_the_same_in_a_small_batch_and_in_a_large_one(
    plan: Journey,
) -> None:
    def costs(prefix: str, count: int) -> int:
        buyers(count, prefix)
        with CaptureQueriesContext(connection) as queries:
            assert work_batch() == count
        return len([one for one in queries if "SAVEPOINT" not in one["sql"]])

    costs("warm", 1)
    two, four, ten = costs("two", 2), costs("four", 4), costs("ten", 10)
    each = (four - two) // 2
    assert ten == two + 8 * each
    # Network-bound work, one by one: begin it, settle it, wake its run.
    assert each <= 20
