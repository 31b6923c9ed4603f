"""Workers die with jobs in hand: nothing is lost, and a repetition is harmless."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tests.integration.asking import COUPON, buyers, forked, jobs, ports
from wagtail_triggers.core import memory_coupons
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.jobs import claim, worker
from wagtail_triggers.engine.jobs.base import Verdict
from wagtail_triggers.engine.jobs.claim import reap, take
from wagtail_triggers.engine.jobs.worker import work_batch
from wagtail_triggers.engine.models import Enrolment, Job
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
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


class _Killed(BaseException):
    """What no `except Exception` catches."""


def _dies(*args: Any, **kwargs: Any) -> Any:
    raise _Killed


def dies_before_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "begin", _dies)


def dies_before_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_carry_out", _dies)


def dies_after_it_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "after", _dies)


def dies_while_it_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "wake", _dies)


@pytest.mark.parametrize(
    ("dies", "left", "asked"),
    [
        (dies_before_begin, {"claimed": 3}, 0),
        (dies_before_it_calls, {"working": 1, "claimed": 2}, 0),
        (dies_after_it_called, {"working": 1, "claimed": 2}, 1),
        (dies_while_it_settles, {"working": 1, "claimed": 2}, 1),
    ],
    ids=["before begin", "before the call", "after the call", "while settling"],
)
def test_worker_that_dies_leaves_jobs_that_the_next_one_finishes_once(
    plan: Journey,
    clock: FrozenClock,
    dies: Callable[[pytest.MonkeyPatch], None],
    left: dict[str, int],
    asked: int,
) -> None:
    buyers(3)
    with pytest.MonkeyPatch.context() as patch:
        # The claim wakes nobody here, so `wake` is first called when a job is settled.
        patch.setattr(claim, "_claim", _claim_without_waking)
        dies(patch)
        with pytest.raises(_Killed):
            work_batch()
    states = jobs("state")
    assert {state: states.count(state) for state in set(states)} == left
    assert len(memory_coupons.asked) == asked
    assert work_batch() == 0
    assert reap() == 0
    clock.travel(LEASE + MINUTE)
    assert reap() == 3
    assert jobs("state") == ["planned"] * 3
    assert sum(jobs("tries")) == left.get("working", 0)
    run_until_idle()
    assert jobs("state") == ["done"] * 3
    # A repetition carries the same code: the shop made three coupons, whatever was lost.
    assert len(memory_coupons.issued) == 3
    assert len(memory_coupons.asked) == 3 + asked
    assert ports() == ["next"] * 3
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}


_claim = claim._claim


def _claim_without_waking(rows: Any, held: Any, moment: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim, "wake", lambda rows, moment: 0)
        _claim(rows, held, moment)


def test_job_that_kills_three_workers_has_failed_and_the_others_pay_nothing(
    plan: Journey, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(3)
    poison = Job.objects.order_by("pk").first()
    assert poison is not None
    original = worker._carry_out

    def dies_at_one(kind: Any, job: Job, moment: Any) -> Any:
        if job.pk == poison.pk:
            raise _Killed
        return original(kind, job, moment)

    monkeypatch.setattr(worker, "_carry_out", dies_at_one)
    for _death in range(3):
        with pytest.raises(_Killed):
            drain(work_batch, seconds=5)
        clock.travel(LEASE + MINUTE)
        reap()
    assert work_batch() in (0, 2)
    run_until_idle()
    assert jobs("state", "tries") == [("failed", 3), ("done", 0), ("done", 0)]
    assert jobs("reason")[0] == "The worker died each time it was about to do this."
    assert sorted(ports()) == ["failed", "next", "next"]


def test_worker_that_comes_back_after_its_lease_writes_nothing(
    plan: Journey, clock: FrozenClock
) -> None:
    buyers(1)
    held = take()
    claim.begin(held.jobs[0], held.token)
    clock.travel(LEASE + MINUTE)
    reap()
    assert claim.settle(held.jobs[0], held.token, Verdict("done", result={"code": "X"})) is (False)
    assert jobs("state") == ["planned"]
    assert claim.begin(held.jobs[0], held.token) is None
