"""A worker is killed (SIGKILL) while it calls another system: the call is repeated, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from tests.concurrency.people import enrolled, people
from tests.concurrency.test_batch_attempts import KILLED, Worker
from tests.integration.asking import SECRET, WEBHOOK, forked
from tests.unit.core.trap import Trap, trap
from wagtail_triggers.core import clock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.jobs.claim import reap
from wagtail_triggers.engine.jobs.worker import work_batch
from wagtail_triggers.engine.models import Enrolment, Job, StepRun
from wagtail_triggers.messages.channels.base import Outgoing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def process(django_db_setup: None) -> Iterator[Worker]:
    """It takes seconds to start."""
    one = Worker()
    yield one
    one.close()


@pytest.fixture
def erp(outbox: list[Outgoing], settings: Settings) -> Iterator[Trap]:
    """The other system."""
    with trap() as seen:
        settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["127.0.0.1"]
        settings.WAGTAIL_TRIGGERS_WEBHOOKS = {
            "erp": {"URL": f"http://127.0.0.1:{seen.port}/", "SECRET": SECRET}
        }
        yield seen


def said(request: bytes) -> tuple[bytes, bytes]:
    """The id and the body of a request."""
    head, _gap, body = request.partition(b"\r\n\r\n")
    (name,) = [row for row in head.split(b"\r\n") if row.lower().startswith(b"webhook-id")]
    return name, body


@pytest.mark.parametrize(("when", "calls"), [("before", 0), ("after", 1)])
def test_killed_worker_leaves_a_call_that_is_repeated_with_the_same_id(
    process: Worker, erp: Trap, when: str, calls: int
) -> None:
    enrolled(forked(WEBHOOK, {"next": [], "failed": []}), people(3), node="ask")
    run_due()
    assert process(f"jobs {when} http://127.0.0.1:{erp.port}/ {SECRET}") == KILLED
    assert len(erp.requests) == calls
    assert sorted(Job.objects.values_list("state", flat=True)) == ["claimed", "claimed", "working"]
    assert work_batch() == 0  # nobody touches them before the lease is over
    Job.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    assert reap() == 3
    assert sorted(Job.objects.values_list("tries", flat=True)) == [0, 0, 1]
    assert work_batch() == 3
    assert len(erp.requests) == 3 + calls
    assert len({said(one) for one in erp.requests}) == 3
    run_due()
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}
    steps = StepRun.objects.filter(node="ask", decision="advance")
    assert list(steps.values_list("port", flat=True)) == ["next"] * 3
