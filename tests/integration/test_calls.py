"""Journeys that are asked for: by the shop, and by other journeys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.shop import ADA, journey, line, order, publish, template, topic
from wagtail_triggers.api import enrol, exit_journey
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Conversion, Enrolment, Refusal
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.exceptions import InvalidEvent
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.testing import run_until_idle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]

DAY = timedelta(days=1)
ENTRY = {"kind": "entry", "event": "order_placed"}
CALLED = {"kind": "entry_called"}


def test_enrol_begins_a_run_about_the_object_with_the_data() -> None:
    plan = publish("Called", {
        "nodes": [
            {"id": "in", "kind": "entry_called", "settings": {"reentry": {"rule": "each_key"}}},
            {"id": "b", "kind": "branch",
             "settings": {"condition": {"event": "shade", "op": "eq", "value": "green"}}},
            {"id": "yes", "kind": "exit", "settings": {"reason": "green"}},
            {"id": "no", "kind": "exit", "settings": {"reason": "other"}},
        ],
        "edges": [
            {"source": "in", "target": "b"},
            {"source": "b", "port": "yes", "target": "yes"},
            {"source": "b", "port": "no", "target": "no"},
        ],
    })  # fmt: skip
    other = journey("Other", [CALLED])
    assert enrol(ADA, plan, key="cart:12", payload={"shade": "green"}) is True
    run_until_idle()
    run = Enrolment.objects.get()
    assert (run.journey_id, run.key, run.refs, run.reason) == (
        plan.pk, "cart:12", ["cart:12"], "green",
    )  # fmt: skip
    assert not Enrolment.objects.filter(journey=other).exists()


def test_enrol_by_uid_obeys_the_rule_of_reentry_and_is_deduplicated() -> None:
    plan = journey("Called", [{"kind": "entry_called", "reentry": {"rule": "once"}}])
    assert enrol(ADA, str(plan.uid), dedupe_key="a") is True
    assert enrol(ADA, plan.uid, dedupe_key="a") is False
    run_until_idle()
    enrol(ADA, plan)
    run_until_idle()
    assert Enrolment.objects.count() == 1
    assert Refusal.objects.get().reason == "entered_once"


def test_enrol_into_a_journey_that_takes_nobody_in_is_kept_with_the_problem() -> None:
    enrol(ADA, "22222222-2222-4222-8222-222222222222")
    deaf = journey("Deaf", [ENTRY])
    enrol(ADA, deaf)
    run_until_idle()
    assert Enrolment.objects.count() == 0
    problems = Event.objects.values_list("problem", flat=True)
    assert ["No running journey" in problem for problem in problems] == [True, True]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: enrol(ADA, "Welcome"), "is no journey"),
        (lambda: enrol(ADA, 7), "is no journey"),
        (lambda: enrol(ADA, "22222222-2222-4222-8222-222222222222", key="12"), "kind:id"),
        (lambda: exit_journey(ADA, "22222222-2222-4222-8222-222222222222", key=":1"), "kind:id"),
        (lambda: enrol(None, "22222222-2222-4222-8222-222222222222"), "contact"),
    ],
)
def test_enrol_of_nobody_or_into_nothing_says_what_is_wrong(call: Any, says: str) -> None:
    with pytest.raises(InvalidEvent, match=says):
        call()
    assert not Event.objects.exists()


def test_exit_journey_ends_the_runs_at_once_and_cancels_what_was_planned(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    news = topic("soft", consent="soft")
    letter = template("Later", kind=MessageClass.MARKETING, topic=news)
    plan = journey("Called", [
        CALLED,
        {"kind": "wait", "amount": 30, "unit": "days"},
        {"kind": "send", "template": letter},
    ])  # fmt: skip
    for key in ("cart:1", "cart:2", "cart:3"):
        enrol(ADA, plan, key=key)
    run_until_idle()
    exit_journey(ADA, plan, key="cart:2")
    run_until_idle()
    assert dict(Enrolment.objects.values_list("key", "state")) == {
        "cart:1": "active", "cart:2": "exited", "cart:3": "active",
    }  # fmt: skip
    clock.travel(30 * DAY)
    run_due()  # the letters are planned, and not sent yet
    assert Message.objects.filter(state="planned").count() == 2
    Enrolment.objects.filter(key="cart:1").update(
        state="active", active_slot=1, wake_at=None, ended_at=None
    )
    exit_journey(ADA, plan)
    route_batch()
    assert Enrolment.objects.get(key="cart:1").state == "exited"
    assert Message.objects.get(enrolment__key="cart:1").state == "cancelled"
    assert not Conversion.objects.exists()


def test_start_journey_hands_the_person_on_and_both_run(clock: FrozenClock) -> None:
    second = journey("Second", [CALLED, {"kind": "wait", "amount": 1, "unit": "days"}])
    journey("First", [
        ENTRY, {"kind": "start_journey", "journey": str(second.uid)},
        {"kind": "wait", "amount": 1, "unit": "days"},
    ])  # fmt: skip
    order("77", line(), cart_id="12")
    run_until_idle()
    run = Enrolment.objects.get(journey=second)
    assert (run.state, run.key, run.depth) == ("active", "order:77", 1)
    assert run.refs == ["cart:12", "order:77"]
    event = Event.objects.get(name="journey_requested")
    assert (event.payload["number"], event.payload["journey"]) == ("#77", str(second.uid))
    assert Enrolment.objects.get(journey__name="First").state == "active"


def test_journeys_that_start_each_other_are_cut_after_eight() -> None:
    uid = "33333333-3333-4333-8333-333333333333"
    site = journey("Site", [ENTRY]).site
    rule = {"reentry": {"rule": "each_key"}}
    row = Journey(site=site, name="Ouroboros", uid=uid, graph={})
    row.save()
    row.graph = {
        "nodes": [
            {"id": "in", "kind": "entry_called", "settings": rule},
            {"id": "again", "kind": "start_journey", "settings": {"journey": uid}},
            {"id": "end", "kind": "end"},
        ],
        "edges": [{"source": "in", "target": "again"}, {"source": "again", "target": "end"}],
    }
    row.save_revision().publish()
    row.refresh_from_db()
    assert row.publish_problem == ""
    enrol(ADA, row)
    run_until_idle()
    runs = Enrolment.objects.filter(journey=row)
    assert sorted(runs.values_list("depth", flat=True)) == list(range(9))
    assert Refusal.objects.get().reason == "chain_too_long"
