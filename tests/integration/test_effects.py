"""What steps change, on the database: facts, tags, score, variants, events, conversions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.shop import ADA, journey, line, order, publish, template
from wagtail_triggers.api import Who, track
from wagtail_triggers.contacts import known_facts
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock as clocks
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Conversion, Enrolment, Refusal
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.experiments.assignments import held, keep
from wagtail_triggers.experiments.models import Assignment
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message, Template
from wagtail_triggers.testing import run_until_idle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]

ENTRY = {"kind": "entry", "event": "order_placed"}
SPLIT = {"kind": "split", "variants": [{"name": "a"}, {"name": "b"}]}


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_facts, "_declared", {"tea": "text", "since": "date"})


def split(name: str = "Split", a: int = 1, b: int = 1) -> Journey:
    """A journey that sends people two ways, both to the end."""
    return publish(name, split_graph(a, b))


def split_graph(a: int, b: int) -> dict[str, Any]:
    """The graph of `split`, with the weights."""
    variants = [{"name": "a", "weight": a}, {"name": "b", "weight": b}]
    return {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "s", "kind": "split", "settings": {"variants": variants}},
            {"id": "end", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "target": "s"},
            {"source": "s", "port": "a", "target": "end"},
            {"source": "s", "port": "b", "target": "end"},
        ],
    }


def ways() -> dict[int, list[str]]:
    """The ways that each contact's runs took at the split, in order."""
    found: dict[int, list[str]] = {}
    for row in Enrolment.objects.order_by("pk"):
        port = row.steps.get(node="s").port
        found.setdefault(row.contact_id, []).append(port)
    return found


def test_update_changes_the_person_and_tells_it() -> None:
    journey("Tea", [
        ENTRY,
        {"kind": "update", "facts": {"tea": "sencha", "since": {"today": True}},
         "add_tags": ["vip"], "score": 5},
    ])  # fmt: skip
    order("1", line())
    run_until_idle()
    ada = Contact.objects.get()
    today = clocks.now().date().isoformat()
    assert (ada.facts, ada.tags, ada.score) == ({"tea": "sencha", "since": today}, ["vip"], 5)
    event = Event.objects.get(name="contact_changed")
    assert (event.contact_id, event.depth, event.source) == (ada.pk, 1, "journey")
    assert event.routed_at is not None
    assert Enrolment.objects.get().state == "completed"


def test_update_that_changes_nothing_tells_nothing() -> None:
    journey("Tags", [ENTRY, {"kind": "update", "remove_tags": ["nobody-has-this"]}])
    order("1", line())
    run_until_idle()
    assert not Event.objects.filter(name="contact_changed").exists()


def test_update_is_not_overwritten_by_what_happened_before_it(clock: FrozenClock) -> None:
    journey("Tea", [ENTRY, {"kind": "update", "facts": {"tea": "sencha"}}])
    before = clocks.now() - timedelta(hours=1)
    order("1", line())
    run_until_idle()
    old = Who(user_id=1, email="ada@example.com", facts={"tea": "black"})
    track("user_updated", contact=old, occurred_at=before)
    run_until_idle()
    assert Contact.objects.get().facts == {"tea": "sencha"}


def test_update_wakes_another_run_of_the_person_that_waits_for_it() -> None:
    journey("Patient", [
        ENTRY,
        {"kind": "wait_for", "condition": {"fact": "tags", "op": "contains", "value": "vip"}},
    ])  # fmt: skip
    order("1", line())
    run_until_idle()
    assert Enrolment.objects.get().waiting is True
    journey("Tags", [{"kind": "entry", "event": "order_paid"},
                     {"kind": "update", "add_tags": ["vip"]}])  # fmt: skip
    track("order_paid", contact=ADA, key="1", payload={"order_id": "1"})
    run_until_idle()
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}


def test_effects_behind_a_message_without_a_template_are_held_back_with_the_run() -> None:
    key = template("Hello")
    journey("Held", [
        ENTRY,
        {"kind": "update", "add_tags": ["before"]},
        {"kind": "send", "template": key},
        {"kind": "update", "add_tags": ["after"]},
        {"kind": "emit", "event": "review_posted", "payload": {"rating": 5}},
    ])  # fmt: skip
    Template.objects.update(live_version=None)
    order("1", line())
    run_until_idle()
    run = Enrolment.objects.get()
    assert (run.state, run.node) == ("parked", "n2")
    assert Contact.objects.get().tags == ["before"]
    assert not Event.objects.filter(name="review_posted").exists()
    assert not Message.objects.exists()


def test_emit_starts_another_journey_one_link_deeper_and_about_the_same_object() -> None:
    journey("Says", [ENTRY, {"kind": "emit", "event": "review_posted",
                             "payload": {"rating": 5, "text": {"event": "number"}}}])  # fmt: skip
    journey("Hears", [{"kind": "entry", "event": "review_posted"},
                      {"kind": "wait", "amount": 1, "unit": "days"}])  # fmt: skip
    order("77", line())
    run_until_idle()
    event = Event.objects.get(name="review_posted")
    assert (event.payload["rating"], event.payload["text"]) == (5, "#77")
    assert (event.refs, event.depth) == (["order:77"], 1)
    heard = Enrolment.objects.get(journey__name="Hears")
    assert (heard.depth, heard.refs) == (1, ["order:77"])


def test_event_of_a_step_that_is_carried_out_twice_is_recorded_once() -> None:
    journey("Says", [ENTRY, {"kind": "emit", "event": "review_posted"}])
    order("1", line())
    route_batch()
    run = Enrolment.objects.get()
    run_due()
    # As after a crash behind the commit, seen by a worker with an old copy of the run.
    Enrolment.objects.update(
        node="n1", seq=0, state="active", active_slot=1, wake_at=clocks.now(), ended_at=None
    )
    run.steps.all().delete()
    run_due()
    assert Event.objects.filter(name="review_posted").count() == 1


def test_step_that_cannot_make_its_event_parks_the_run_with_the_reason() -> None:
    journey("Says", [ENTRY, {"kind": "emit", "event": "cart_updated",
                             "payload": {"cart_id": {"event": "cart_id"}}}])  # fmt: skip
    track("order_placed", contact=ADA, key="1", payload={"order_id": "1"})
    run_until_idle()
    run = Enrolment.objects.get()
    # The shop declares cart_id as text with "" for none: nothing to copy, and a cart needs its id.
    assert run.state == "parked"
    assert "not what its type asks for" in run.reason
    assert not Event.objects.filter(source="journey").exists()


# Variants.


def test_split_is_sticky_over_runs_versions_and_changed_shares() -> None:
    plan = split()
    for number in range(12):
        order(f"a{number}", line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    run_until_idle()
    first = ways()
    assert {port for ports in first.values() for port in ports} == {"a", "b"}
    plan.graph = split_graph(0, 1)
    plan.save_revision().publish()
    for number in range(20):
        order(f"b{number}", line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    run_until_idle()
    second = ways()
    for contact, ports in first.items():
        assert second[contact] == ports * 2
    newcomers = [ports for contact, ports in second.items() if contact not in first]
    assert newcomers == [["b"]] * 8
    assert Assignment.objects.count() == 20
    assert set(Assignment.objects.values_list("experiment", flat=True)) == {f"journey:{plan.pk}:s"}


def test_split_of_two_runs_of_one_person_in_one_batch_goes_one_way() -> None:
    split()
    for number in range(10):
        who = Who(user_id=number, email=f"p{number}@example.com")
        order(f"a{number}", line(), who=who)
        order(f"b{number}", line(), who=who)
    route_batch()
    run_due()
    assert all(len(ports) == 2 and len(set(ports)) == 1 for ports in ways().values())
    assert Assignment.objects.count() == 10


def test_split_of_two_runs_on_versions_with_other_weights_in_one_batch_goes_one_way() -> None:
    plan = split(a=1, b=0)
    order("a", line())
    route_batch()
    plan.graph = split_graph(0, 1)
    plan.save_revision().publish()
    order("b", line())
    route_batch()
    assert len(set(Enrolment.objects.values_list("version_id", flat=True))) == 2
    run_due()
    # By its own version's weights the second could only have gone the other way.
    assert list(ways().values()) == [["a", "a"]]
    assert list(Assignment.objects.values_list("variant", flat=True)) == ["a"]


def test_variant_that_is_kept_stays_whatever_comes_later() -> None:
    order("1", line())
    route_batch()
    ada = Contact.objects.get()
    for variant in ("a", "b"):
        keep([
            Assignment(site_id=ada.site_id, contact=ada, experiment="e", variant=variant,
                       at=clocks.now())
        ])  # fmt: skip
    assert held([ada.pk], ["e", "other"]) == {ada.pk: {"e": "a"}}
    assert held([ada.pk], []) == {}


def test_variants_of_two_contacts_that_are_one_person_follow_and_the_older_stays(
    clock: FrozenClock,
) -> None:
    for number in (1, 2):
        order(str(number), line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    route_batch()
    loser, winner = Contact.objects.order_by("pk")

    def has(contact: Contact, experiment: str, variant: str, minutes: int) -> None:
        at = clocks.now() + timedelta(minutes=minutes)
        Assignment.objects.create(
            site_id=contact.site_id, contact=contact, experiment=experiment, variant=variant, at=at
        )

    has(loser, "both", "a", 0)
    has(winner, "both", "b", 5)
    has(loser, "mine", "c", 9)
    has(winner, "yours", "d", 9)
    assert merge(loser.pk, winner.pk, moment=clocks.now())
    assert held([loser.pk, winner.pk], ["both", "mine", "yours"]) == {
        winner.pk: {"both": "a", "mine": "c", "yours": "d"}
    }


# Leaving by a step.


def test_exit_that_counts_as_a_success_is_recorded_as_a_conversion_with_its_run() -> None:
    journey("Done", [ENTRY, {"kind": "wait", "amount": 1, "unit": "hours"}])
    plan = publish("Leaves", {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "out", "kind": "exit", "settings": {"reason": "has it all", "converted": True}},
        ],
        "edges": [{"source": "in", "target": "out"}],
    })  # fmt: skip
    order("1", line())
    run_until_idle()
    run = Enrolment.objects.get(journey=plan)
    assert (run.state, run.reason, run.active_slot) == ("converted", "has it all", None)
    conversion = Conversion.objects.get()
    assert (conversion.enrolment_id, conversion.amount) == (run.pk, None)


def test_exit_that_is_no_success_records_no_conversion() -> None:
    plan = publish("Leaves", {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "out", "kind": "exit", "settings": {"reason": "no longer fits"}},
        ],
        "edges": [{"source": "in", "target": "out"}],
    })  # fmt: skip
    order("1", line())
    run_until_idle()
    run = Enrolment.objects.get(journey=plan)
    assert (run.state, run.reason) == ("exited", "no longer fits")
    assert not Conversion.objects.exists()
    assert not Refusal.objects.exists()


def test_queries_of_effects_do_not_grow_with_the_people() -> None:
    journey("All", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "update", "add_tags": ["vip"], "score": 1},
        {"kind": "emit", "event": "review_posted"},
        {"kind": "wait", "amount": 1, "unit": "days"},
    ])  # fmt: skip
    split("Two ways")

    def costs(prefix: str, count: int) -> tuple[int, int]:
        for number in range(count):
            who = Who(user_id=f"{prefix}{number}", email=f"{prefix}{number}@example.com")
            order(f"{prefix}{number}", line(), who=who)
        route_batch()
        with CaptureQueriesContext(connection) as running:
            run_due()
        with CaptureQueriesContext(connection) as routing:
            route_batch()
        return len(running), len(routing)

    costs("warm", 2)
    few, many = costs("few", 4), costs("many", 30)
    print(f"\nqueries of a batch with effects, then of routing them: {few} for 4, {many} for 30")
    assert all(more - less <= 2 for more, less in zip(many, few, strict=True))
