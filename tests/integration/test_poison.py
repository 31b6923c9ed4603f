"""What cannot be carried out stops itself, with its reason, and nobody else."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import enrolled, people
from tests.shop import ADA, journey, line, order, template
from wagtail_triggers.api import Who
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import advance, contact_batch, router, runner
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import BatchAttempt, Enrolment
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events import projections
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import JourneyVersion
from wagtail_triggers.journeys.steps.base import Run
from wagtail_triggers.journeys.steps.decisions import Decision
from wagtail_triggers.journeys.steps.wait import WaitStep
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

pytestmark = pytest.mark.django_db

EVE = Who(user_id=2, email="eve@example.com")


def test_version_whose_step_is_gone_parks_its_runs_and_lets_others_pass() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages() as outbox:
        gone = journey("Gone", [
            {"kind": "entry", "event": "order_placed"},
            {"kind": "wait", "amount": 1, "unit": "hours"},
        ])  # fmt: skip
        order("77", line())
        run_until_idle()
        waiting = Enrolment.objects.get()
        version = JourneyVersion.objects.get(pk=waiting.version_id)
        version.graph["nodes"][1]["kind"] = "a_step_of_an_app_that_was_removed"
        version.digest = "f" * 64  # a version is frozen: plans are known by it
        version.save()
        letter = template("Thank you")
        journey(
            "Thank you",
            [{"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": letter}],
        )
        order("78", line(), who=EVE)
        clock.travel(timedelta(hours=1))
        run_until_idle()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.wake_at) == ("parked", None)
    assert waiting.reason.startswith("This version of the journey can no longer be carried out.")
    assert [message.address for message in outbox] == ["eve@example.com"]
    assert not Enrolment.objects.filter(journey=gone, contact__email="eve@example.com").exists()


def test_event_that_breaks_the_projection_is_set_aside_after_three_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = projections.project

    def project(events: Any, contacts: dict[int, Contact]) -> None:
        if any(event.key == "poison" for event in events):
            raise RuntimeError("no such projection")
        real(events, contacts)

    monkeypatch.setattr(contact_batch, "project", project)
    with travelling("2026-05-01 12:00"), captured_messages():
        order("poison", line(), who=ADA)
        order("78", line(), who=EVE)
        for _round in range(5):
            run_until_idle()
    poisoned, healthy = Event.objects.order_by("pk")
    assert poisoned.routed_at is not None
    assert poisoned.problem == "RuntimeError: no such projection"
    assert healthy.routed_at is not None
    assert healthy.problem == ""
    assert Contact.objects.get(email="eve@example.com").orders_count == 1


def test_one_poisoned_journey_in_a_hundred_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    """Counted in statements: seconds at this size say more about the machine than about us."""
    plans = [
        journey(f"J{number}", [
            {"kind": "entry", "event": "order_placed"},
            {"kind": "wait", "amount": 1, "unit": "hours"},
        ])
        for number in range(100)
    ]  # fmt: skip
    bad: set[int] = set()
    real = WaitStep.decide

    def decide(self: WaitStep, run: Run) -> Decision:
        if run.journey_id in bad:
            raise RuntimeError("poison")
        return real(self, run)

    monkeypatch.setattr(WaitStep, "decide", decide)

    def work(prefix: str) -> int:
        """Give every journey five due people; statements until nothing is due."""
        crowd = people(5, prefix)
        for plan in plans:
            enrolled(plan, crowd)
        with CaptureQueriesContext(connection) as queries:
            while run_due():
                pass
        return len(queries)

    healthy = work("a")
    assert Enrolment.objects.filter(waiting=True).count() == 500
    bad.add(plans[42].pk)
    poisoned = work("b")
    print(f"\nstatements for 500 runs: {healthy}, with one journey in 100 poisoned: {poisoned}")
    assert poisoned <= 1.05 * healthy
    assert Enrolment.objects.filter(waiting=True).count() == 995
    reap()
    plans[42].refresh_from_db()
    assert plans[42].state == "paused"
    clock.travel(timedelta(minutes=30))
    assert run_due() == 0  # it is not even looked at any more
    failed = Enrolment.objects.filter(journey=plans[42], tries__gt=0)
    assert set(failed.values_list("state", "tries", "wake_at")) == {("active", 1, None)}


def test_step_that_never_returns_is_ended_with_its_worker_pays_and_holds_up_nobody_for_long(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = journey("Hello", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": template("Hello")},
    ])  # fmt: skip
    for number in range(3):
        order(str(number), line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    route_batch()
    follow = advance.follow
    stuck = Enrolment.objects.get(key="order:1").pk

    def ends(run: Any, *more: Any) -> Any:
        if run.enrolment_id == stuck:
            raise SystemExit  # as Celery's time limit ends a child
        return follow(run, *more)

    monkeypatch.setattr(runner, "follow", ends)
    for _death in range(5):
        with suppress(SystemExit):
            run_due()
        clock.travel(timedelta(minutes=2))
        with suppress(SystemExit):
            reap()
    row = Enrolment.objects.get(pk=stuck)
    assert (row.state, row.tries) == ("parked", 4)
    assert row.reason == "The worker died three times at this step."
    assert Enrolment.objects.filter(journey=plan, state="completed").count() == 2


def test_events_whose_router_is_ended_are_routed_by_the_next_one(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order("1", line())
    with monkeypatch.context() as patch:
        patch.setattr(router, "_route", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            route_batch()
    assert BatchAttempt.objects.count() == 1
    assert route_batch() == 0
    clock.travel(timedelta(minutes=2))
    reap()
    assert Event.objects.get().routed_at is not None
    assert not BatchAttempt.objects.exists()
