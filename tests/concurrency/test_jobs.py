"""Two workers, killed workers, and a click beside the tick: each job happens once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tests.concurrency.parallel import Strand, holding, together
from tests.concurrency.people import enrolled, people
from tests.integration.asking import COUPON, TASK, forked
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock, memory_coupons
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.jobs import claim, worker
from wagtail_triggers.engine.jobs.base import Outcome
from wagtail_triggers.engine.jobs.claim import reap
from wagtail_triggers.engine.jobs.tasks import Decision, Release, release
from wagtail_triggers.engine.jobs.worker import work_batch
from wagtail_triggers.engine.models import Enrolment, Job, StepRun, Task
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing

pytestmark = pytest.mark.django_db(transaction=True)

#: The bar is 5,000; `TRIGGERS_COUPONS=5000` runs it whole.
COUPONS = int(os.environ.get("TRIGGERS_COUPONS", "300"))
WORKERS = 4


@pytest.fixture(autouse=True)
def _shop(outbox: list[Outgoing], settings: Settings) -> Iterator[None]:
    settings.WAGTAIL_TRIGGERS_COUPONS = {
        "BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"
    }
    memory_coupons.clear()
    yield
    memory_coupons.clear()


def coupons_for(count: int) -> Journey:
    """So many people who wait for a coupon each."""
    plan = forked(COUPON, {"next": [], "failed": []})
    enrolled(plan, people(count), node="ask")
    drain(run_due, seconds=60)
    assert Job.objects.filter(state="planned").count() == count
    return plan


@pytest.mark.timeout(900)
def test_many_workers_issue_each_coupon_once_and_no_code_twice() -> None:
    coupons_for(COUPONS)
    work = [lambda: drain(work_batch, seconds=600)] * WORKERS
    together(*work, patience=700)
    drain(work_batch, seconds=60)
    assert Counter(Job.objects.values_list("state", flat=True)) == {"done": COUPONS}
    codes = list(Job.objects.values_list("reference", flat=True))
    assert len(set(codes)) == COUPONS
    assert Counter(memory_coupons.asked) == Counter(codes)
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
    drain(run_due, seconds=60)
    assert Counter(Enrolment.objects.values_list("state", flat=True)) == {"completed": COUPONS}
    print(f"\ncoupons: issued={COUPONS} double=0 workers={WORKERS}")


def test_job_that_another_worker_took_first_is_not_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coupons_for(3)
    look = claim._candidates
    others: list[int] = []

    def look_and_be_slow(moment: datetime, limit: int) -> dict[int, int]:
        found = look(moment, limit)
        if not others:
            others.append(0)
            others[0] = Strand(work_batch).wait()
        return found

    monkeypatch.setattr(claim, "_candidates", look_and_be_slow)
    assert work_batch() == 0
    assert others == [3]
    assert len(memory_coupons.asked) == 3


def test_claim_that_reads_nothing_again_would_take_a_job_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The guard whose absence the test above must notice."""
    coupons_for(3)
    look = claim._candidates
    others: list[int] = []

    def look_and_be_slow(moment: datetime, limit: int) -> dict[int, int]:
        found = look(moment, limit)
        if not others:
            others.append(0)
            others[0] = Strand(work_batch).wait()
        return found

    def by_id_alone(candidates: dict[int, int], moment: datetime) -> list[Job]:
        return list(locked(Job.objects.filter(pk__in=candidates)))

    monkeypatch.setattr(claim, "_candidates", look_and_be_slow)
    monkeypatch.setattr(claim, "_locked", by_id_alone)
    monkeypatch.setattr(claim, "stopped", lambda rows, moment: {})
    work_batch()
    assert len(memory_coupons.asked) == 6


def test_person_who_is_locked_elsewhere_is_left_and_the_others_go_on() -> None:
    coupons_for(4)
    one = Contact.objects.order_by("pk").first()
    assert one is not None
    with holding(lambda: locked(Contact.objects.filter(pk=one.pk)).get()):
        assert work_batch() == 3
    assert set(Job.objects.filter(contact=one).values_list("state", flat=True)) == {"planned"}
    assert work_batch() == 1


class _Killed(BaseException):
    """What no `except Exception` catches."""


def test_workers_that_die_all_the_time_lose_no_coupon_and_make_none_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coupons_for(60)
    original = worker._carry_out
    calls: list[int] = []

    def dies_now_and_then(kind: Any, job: Job, moment: datetime) -> Outcome:
        calls.append(job.pk)
        if len(calls) % 7 == 3:
            raise _Killed  # before it was made
        outcome = original(kind, job, moment)
        if len(calls) % 7 == 5:
            raise _Killed  # after it was made, before anybody wrote it down
        return outcome

    monkeypatch.setattr(worker, "_carry_out", dies_now_and_then)

    def works_until_it_dies() -> int:
        try:
            return drain(work_batch, seconds=20)
        except _Killed:
            return -1

    deaths = 0
    while Job.objects.filter(state__in=Job.PENDING).exists():
        deaths += together(works_until_it_dies, works_until_it_dies).count(-1)
        Job.objects.filter(lease_until__isnull=False).update(
            lease_until=clock.now() - timedelta(seconds=1), tries=0
        )
        reap()
    assert deaths > 5
    assert Counter(Job.objects.values_list("state", flat=True)) == {"done": 60}
    assert len(memory_coupons.issued) == 60
    assert set(memory_coupons.issued) == set(Job.objects.values_list("reference", flat=True))
    assert len(memory_coupons.asked) > 60


def tasks(count: int) -> list[Task]:
    """So many open tasks."""
    plan = forked(TASK, {"approve": [], "decline": [], "timeout": []})
    enrolled(plan, people(count), node="ask")
    run_due()
    return list(Task.objects.order_by("pk"))


def test_two_clicks_at_once_release_the_run_once() -> None:
    for row in tasks(5):
        said = together(
            lambda pk=row.pk: release(pk, Decision("approve", by="Ada")),  # type: ignore[misc]
            lambda pk=row.pk: release(pk, Decision("decline", by="Bob")),  # type: ignore[misc]
        )
        assert sorted(said) == [Release.DONE, Release.SETTLED]
        row.refresh_from_db()
        winner = ["approve", "decline"][said.index(Release.DONE)]
        assert row.result["choice"] == winner
        drain(run_due, seconds=10)
        step = StepRun.objects.get(enrolment_id=row.enrolment_id, decision="advance")
        assert step.port == winner


def test_click_beside_the_tick_at_the_deadline_goes_one_way_or_the_other() -> None:
    (row,) = tasks(1)
    Task.objects.update(deadline=clock.now() + timedelta(minutes=5))
    Enrolment.objects.update(wake_at=clock.now() - timedelta(days=3), arrived_at=clock.now()
                             - timedelta(days=3))  # fmt: skip
    _ran, said = together(
        lambda: run_due(),
        lambda: release(row.pk, Decision("approve", by="Ada")),
    )
    drain(run_due, seconds=10)
    row.refresh_from_db()
    step = StepRun.objects.get(decision="advance")
    if said is Release.DONE:
        assert (row.state, step.port) == ("done", "approve")
    else:
        assert (row.state, step.port) == ("cancelled", "timeout")
    assert Enrolment.objects.get().state == "completed"
