"""One look that says what is wrong, and what to do."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from tests.shop import ADA, journey, line, order, template
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import attempts
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.health import findings
from wagtail_triggers.engine.models import BatchAttempt, Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event, MappingFault
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message

pytestmark = pytest.mark.django_db

LATE = timedelta(minutes=6)


@pytest.fixture(autouse=True)
def _thanks(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    journey("Thanks", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Thanks")},
    ])  # fmt: skip


def wrong() -> dict[str, str]:
    """What is amiss, by topic."""
    return {one.topic: one.text for one in findings(with_broker=False) if not one.ok}


def test_healthy_shop_has_no_complaint() -> None:
    assert wrong() == {}
    assert all(one.text for one in findings(with_broker=False))


def test_work_that_waits_too_long_is_named(clock: FrozenClock) -> None:
    order("1", line())
    assert wrong() == {}
    clock.travel(LATE)
    assert set(wrong()) == {"Events"}
    assert "1 are due for over 5 minutes. Do workers and beat run?" in wrong()["Events"]
    route_batch()
    clock.travel(LATE)
    assert set(wrong()) == {"Runs"}
    run_due()
    clock.travel(LATE)
    assert set(wrong()) == {"Messages"}


def test_claims_of_dead_workers_are_named(clock: FrozenClock) -> None:
    attempts.announce(BatchAttempt.Kind.RUNS, [1], clock.read())
    clock.travel(LATE)
    assert "1 claims of dead workers" in wrong()["Claims"]


def test_what_was_set_aside_is_counted_with_the_place_to_look(clock: FrozenClock) -> None:
    order("1", line())
    route_batch()
    run_due()
    Enrolment.objects.update(state="parked", wake_at=None)
    Message.objects.update(state="unknown_parked", due_at=None)
    Event.objects.update(problem="ArithmeticError: x")
    MappingFault.objects.create(
        mapping="shop.triggers.placed", event="order_placed", error="KeyError: 'x'", count=3,
        last_at=clock.read(),
    )  # fmt: skip
    Journey.objects.update(publish_problem="n2: no template")
    found = wrong()
    assert found["Parked runs"] == "1. Look at them under Triggers > Enrolments and try again."
    assert found["Unknown outcomes"].startswith("1. Look at them under Triggers > Messages")
    assert found["Events with problems"].startswith("1. Look at them under Triggers > Events")
    assert found["Mappings"] == "shop.triggers.placed (3): KeyError: 'x'"
    assert "Thanks" in found["Journeys"]
    assert ADA.email


def test_doctor_exits_1_where_something_is_wrong_and_says_the_fix(
    clock: FrozenClock, settings: Settings
) -> None:
    order("1", line())
    clock.travel(LATE)
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("triggers_doctor", "--no-broker", stdout=out)
    assert left.value.code == 1
    text = out.getvalue()
    assert "BAD Events" in " ".join(text.split())
    assert "Do workers and beat run?" in text
    assert "wagtail_triggers.W005" in text  # the test project has no beat


def test_tick_command_does_what_is_due_and_says_how_much(outbox: list[Outgoing]) -> None:
    order("1", line())
    out = StringIO()
    call_command("triggers_tick", stdout=out)
    assert out.getvalue().strip() == (
        "1 events routed, 0 carts looked at, 1 runs moved, 1 messages handled"
    )
    assert len(outbox) == 1
    out = StringIO()
    call_command("triggers_tick", stdout=out)
    assert out.getvalue() == ""


def test_old_snapshots_are_looked_for_where_they_hurt() -> None:
    topics = [one.topic for one in findings(with_broker=False)]
    assert ("Database" in topics) is (connection.vendor == "postgresql")
