"""A journey that goes wrong pauses itself, says why, and costs the others nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import enrolled, people
from tests.shop import journey, template, topic
from wagtail_triggers.api import track
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import breaker, pulse
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.lifecycle import resume
from wagtail_triggers.engine.models import Enrolment, Pulse
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.journeys.steps.wait import WaitStep
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import MessageClass, TemplateVersion
from wagtail_triggers.signals import journey_stopped
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(clock: FrozenClock, outbox: list[Outgoing]) -> Journey:
    """A wait, which can be made to fail, and a letter."""
    soft = topic("soft", consent="soft")
    return journey("Fragile", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
        {"kind": "send", "template": template("Hello", kind=MessageClass.MARKETING, topic=soft)},
    ])  # fmt: skip


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits fail."""

    def decide(self: WaitStep, run: object) -> None:
        raise RuntimeError("a host's own step")

    monkeypatch.setattr(WaitStep, "decide", decide)


def pulses(plan: Journey, clock: FrozenClock, **counts: int) -> None:
    """What a batch has noted just now."""
    Pulse.objects.create(journey=plan, at=clock.read(), **counts)


def state(plan: Journey) -> tuple[str, str]:
    plan.refresh_from_db()
    return plan.state, plan.pause_reason


def test_journey_with_more_than_twenty_errors_pauses_itself_and_tells(
    plan: Journey, clock: FrozenClock, broken: None
) -> None:
    told: list[tuple[Journey, str]] = []

    def listen(journey: Journey, reason: str, **_more: object) -> None:
        told.append((journey, reason))

    journey_stopped.connect(listen)
    enrolled(plan, people(21))
    run_due()
    reap()
    reason = "More than 20 errors within an hour."
    assert state(plan) == ("paused", reason)
    assert told == [(plan, reason)]
    assert not Enrolment.objects.exclude(wake_at=None).exists()
    reap()
    assert len(told) == 1


def test_twenty_errors_among_very_many_runs_are_let_pass(plan: Journey, clock: FrozenClock) -> None:
    pulses(plan, clock, runs=400, errors=20)
    assert breaker.watch() == []
    pulses(plan, clock, runs=0, errors=1)
    assert breaker.watch() == [plan]


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"runs": 100, "errors": 5}, ""),
        ({"runs": 100, "errors": 6}, "More than 5 percent of what it did within an hour failed."),
        ({"runs": 4, "errors": 4}, ""),
        ({"sent": 1000, "complaints": 3}, ""),
        (
            {"sent": 999, "complaints": 3},
            "More than 0.3 percent of its letters of a day were reported as spam.",
        ),
        ({"sent": 10, "complaints": 2}, ""),
        ({"sent": 200, "bounces": 10}, ""),
        ({"sent": 200, "bounces": 11}, "More than 5 percent of its letters of a day bounced."),
    ],
)
def test_limits_are_passed_where_they_say(
    plan: Journey, clock: FrozenClock, counts: dict[str, int], reason: str
) -> None:
    pulses(plan, clock, **counts)
    breaker.watch()
    assert state(plan) == (("paused", reason) if reason else ("running", ""))


def test_journey_that_was_let_go_on_starts_afresh(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    pulses(plan, clock, runs=30, errors=30)
    breaker.watch()
    clock.travel(timedelta(seconds=10))
    resume(plan)
    assert breaker.watch() == []
    assert state(plan) == ("running", "")
    clock.travel(timedelta(seconds=10))
    pulses(plan, clock, runs=30, errors=30)
    assert breaker.watch() == [plan]


def test_old_errors_are_forgotten(plan: Journey, clock: FrozenClock) -> None:
    pulses(plan, clock, runs=30, errors=30)
    clock.travel(timedelta(hours=1))
    assert breaker.watch() == []


def test_run_that_fails_again_at_its_step_is_one_error(
    plan: Journey, clock: FrozenClock, broken: None
) -> None:
    enrolled(plan, people(2))
    for _try in range(4):
        run_due()
        clock.travel(timedelta(minutes=2))
    assert Enrolment.objects.filter(state="parked").count() == 2
    assert sum(Pulse.objects.values_list("errors", flat=True)) == 2


def test_letters_that_leave_and_letters_that_cannot_be_built_are_counted(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wagtail_triggers.messages import letter as letters
    from wagtail_triggers.messages import sender

    enrolled(plan, people(3), "n2")

    def letter(version: TemplateVersion, context: dict[str, dict[str, str]]) -> object:
        if context["contact"]["first_name"] == "P1":
            raise RuntimeError("no such filter")
        return letters.letter(version, context)

    monkeypatch.setattr(sender, "letter", letter)
    run_until_idle()
    counted = Pulse.objects.filter(journey=plan)
    assert sum(counted.values_list("sent", flat=True)) == 2
    assert sum(counted.values_list("errors", flat=True)) == 1


def test_complaints_and_bounces_are_counted_for_the_journey_of_their_letter(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    (run,) = enrolled(plan, people(1), "n2")

    def report(name: str, number: int, **payload: object) -> None:
        Event.objects.create(
            site=plan.site, name=name, source="provider", dedupe_key=f"report:{number}",
            contact=Contact.objects.get(), resolved=True, occurred_at=clock.read(),
            recorded_at=clock.read(), payload={"run": run.pk, "node": "n2", **payload},
        )  # fmt: skip

    report("message_complained", 1)
    report("message_bounced", 2, permanent=True)
    report("message_bounced", 3, permanent=False)  # a full mailbox says nothing about the journey
    run_until_idle()
    counted = Pulse.objects.filter(journey=plan)
    assert sum(counted.values_list("complaints", flat=True)) == 1
    assert sum(counted.values_list("bounces", flat=True)) == 1


def test_watching_costs_two_queries_where_all_is_well(plan: Journey, clock: FrozenClock) -> None:
    pulses(plan, clock, runs=100)
    with CaptureQueriesContext(connection) as queries:
        assert breaker.watch() == []
    assert len(queries) <= 3


def test_healthy_journeys_take_people_in_while_a_poisoned_one_is_paused(
    plan: Journey, clock: FrozenClock, broken: None, outbox: list[Outgoing]
) -> None:
    enrolled(plan, people(30))
    journey("Healthy", [
        {"kind": "entry", "event": "user_registered"},
        {"kind": "send", "template": template("Welcome")},
    ])  # fmt: skip
    run_due()
    reap()
    from tests.shop import ADA

    track("user_registered", contact=ADA)
    run_until_idle()
    assert [one.subject for one in outbox] == ["Welcome"]
    assert state(plan)[0] == "paused"


def test_nothing_is_noted_where_nothing_was_done(plan: Journey, clock: FrozenClock) -> None:
    pulse.of_runs(clock.read(), sent=[None], errors=[])
    assert not Pulse.objects.exists()
