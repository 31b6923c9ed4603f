"""A rehearsal says what the engine would have done, and changes nothing."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from tests.shop import cart, journey, line, order, template, topic
from wagtail_triggers.api import Who, subscribe, track, unsubscribe
from wagtail_triggers.consent.addresses import current_hash
from wagtail_triggers.consent.models import FrequencyCap, QuietHours, Suppression, Topic
from wagtail_triggers.consent.subscriptions import Change, suppress, withdraw
from wagtail_triggers.core import clock as clocks
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import rehearsal as rehearsing
from wagtail_triggers.engine.live import LiveJourney, live_journeys
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.rehearsal import Rehearsal, rehearse
from wagtail_triggers.engine.rehearsal_consent import ANSWERED, NOT_ASKED
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.journeys.plan import compile_graph
from wagtail_triggers.messages.guards import guards
from wagtail_triggers.messages.models import Message, MessageClass, TriggersSettings
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

SHIRT = line("Linen shirt")


def person(number: int) -> Who:
    return Who(user_id=number, email=f"p{number}@example.com", first_name=f"P{number}")


@pytest.fixture
def clock(db: None) -> Iterator[FrozenClock]:
    with travelling("2026-05-01 12:00") as moving:
        yield moving


def script(row: Journey, graph: dict[str, Any] | None = None) -> LiveJourney:
    """The live version; or, with a graph, a draft of it."""
    if graph is None:
        return next(one for one in live_journeys([row.site_id]) if one.journey_id == row.pk)
    plan = compile_graph(Graph.from_json(graph))
    return LiveJourney(row.pk, row.site_id, 0, row.priority, plan, str(row.uid))


def rehearsed(row: Journey, days: int = 30, **more: Any) -> Rehearsal:
    return rehearse(script(row, more.pop("graph", None)), days=days, moment=clocks.now(), **more)


def reminder(**settings: Any) -> Journey:
    """A cart that is left: a letter, a day, another letter; an order ends it."""
    about = topic("carts")
    first = template("First", kind=MessageClass.MARKETING, topic=about)
    second = template("Second", kind=MessageClass.MARKETING, topic=about)
    return journey(
        "Cart",
        [
            {"kind": "entry", "event": "cart_abandoned"},
            {"kind": "send", "template": first},
            {"kind": "wait", "amount": 1, "unit": "days"},
            {"kind": "send", "template": second},
        ],
        goals=[{"event": "order_placed", "match": "same_object", "converts": True}],
    )


def week(clock: FrozenClock) -> None:
    """Six people leave carts; some have agreed, one comes back, one orders, one wants no more."""
    with captured_messages():
        for number in (1, 2, 3, 5, 6):
            subscribe(person(number), "carts", source="checkout")
        for number in range(1, 7):
            cart(f"c{number}", SHIRT, who=person(number))
            run_until_idle()
            clock.travel(timedelta(hours=1))
        for _hour in range(4):
            clock.travel(timedelta(hours=1))
            run_until_idle()
        order("o2", SHIRT, cart_id="c2", who=person(2))
        unsubscribe(person(3), "carts", source="letter")
        Suppression.objects.all().delete()
        run_until_idle()
        for _hour in range(54):
            clock.travel(timedelta(hours=1))
            run_until_idle()


def really(row: Journey) -> list[tuple[int, str, str, str]]:
    """What the engine did: who, which step, what became of it, in which minute."""
    rows = Message.objects.filter(journey_version__journey=row).order_by("pk")
    return sorted(
        (one.contact_id, one.node, one.state, f"{one.planned_at:%d %H:%M}") for one in rows
    )


def said(found: Rehearsal) -> list[tuple[int, str, str, str]]:
    return sorted(
        (one.contact_id, one.node, one.state, f"{one.planned_at:%d %H:%M}") for one in found.letters
    )


def test_rehearsal_of_a_live_journey_says_what_it_has_really_done(clock: FrozenClock) -> None:
    row = reminder()
    week(clock)
    found = rehearsed(row)
    assert said(found) == really(row)
    states = [state for _who, _node, state, _at in really(row)]
    assert (states.count("accepted"), states.count("skipped")) == (8, 3)
    runs = Enrolment.objects.filter(journey=row)
    assert found.entered == runs.count() == 6
    assert found.converted == runs.filter(state="converted").count() == 1
    assert found.completed == runs.filter(state="completed").count() == 5
    assert found.is_complete
    assert (found.triggers, found.people) == (6, 6)
    assert sum(found.per_day.values()) == found.sent == 8


def test_rehearsal_keeps_quiet_hours_and_caps_as_the_engine_does(clock: FrozenClock) -> None:
    row = reminder()
    site = TriggersSettings.objects.get_or_create(site=row.site)[0]
    site.time_zone, site.weekly_limit = "Europe/Berlin", 0
    site.save()
    FrequencyCap.objects.create(settings=site, limit=1, amount=36, unit="hours")
    QuietHours.objects.create(settings=site, begins="17:00", ends="20:00")
    week(clock)
    found = rehearsed(row)
    assert said(found) == really(row)
    sent = {(m.contact_id, m.node): m.settled_at for m in Message.objects.filter(state="accepted")}
    ours = {(one.contact_id, one.node): one.settled_at for one in found.letters
            if one.state == "accepted"}  # fmt: skip
    assert len(ours) == 8
    for key, at in sent.items():  # the engine looked once an hour, at both letters
        assert at is not None
        planned = ours[key]
        assert planned is not None
        assert timedelta(0) <= at - planned < timedelta(hours=2), key


def test_draft_with_a_longer_wait_writes_to_fewer(clock: FrozenClock) -> None:
    row = reminder()
    week(clock)
    graph = dict(row.graph)
    graph["nodes"] = [dict(one) for one in graph["nodes"]]
    graph["nodes"][2]["settings"] = {"amount": 30, "unit": "days"}
    found = rehearsed(row, graph=graph)
    assert found.sent == 5
    assert found.underway == 5
    assert found.by_node["n2"] == 6
    assert "n3" not in found.by_node


def test_rehearsal_without_a_goal_counts_those_who_had_bought(clock: FrozenClock) -> None:
    row = reminder()
    week(clock)
    graph = {
        "nodes": [one for one in row.graph["nodes"] if one["kind"] != "goal"],
        "edges": row.graph["edges"],
    }
    kind = template("Receipt")
    graph["nodes"] = [dict(one) for one in graph["nodes"]]
    graph["nodes"][3]["settings"] = {"template": kind}
    found = rehearsed(row, graph=graph)
    assert found.converted == 0
    assert found.bought == 1


def snapshot() -> dict[str, str]:
    """A digest of every row of every table."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        rows = model._default_manager.order_by("pk")
        text = serializers.serialize("json", rows)
        found[model._meta.label] = hashlib.sha256(text.encode()).hexdigest()
    return found


def test_rehearsal_writes_nothing_and_calls_nobody(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reminder()
    week(clock)
    before = snapshot()

    def blocked(*_args: Any, **_more: Any) -> None:
        raise AssertionError("a rehearsal opened a socket")

    plan = script(row)
    if connection.vendor == "sqlite":  # a database on a socket needs its own
        monkeypatch.setattr(socket, "socket", blocked)
        monkeypatch.setattr(socket, "create_connection", blocked)
    monkeypatch.setattr(socket, "getaddrinfo", blocked)
    with CaptureQueriesContext(connection) as queries:
        found = rehearse(plan, days=30, moment=clock.read())
    monkeypatch.undo()
    assert found.sent == 8
    assert snapshot() == before
    # PostgreSQL reads long tables through a cursor.
    reads = ("SELECT", "DECLARE ")
    written = [one["sql"] for one in queries if not one["sql"].lstrip().startswith(reads)]
    assert all("FOR SELECT" in one["sql"] for one in queries if one["sql"].startswith("DECLARE"))
    assert written == []


def test_rehearsal_asks_as_many_queries_for_six_people_as_for_one(clock: FrozenClock) -> None:
    row = reminder()
    week(clock)
    plan, moment = script(row), clock.read()
    with CaptureQueriesContext(connection) as all_of_them:
        rehearse(plan, days=30, moment=moment)
    Message.objects.all().delete()
    Enrolment.objects.exclude(contact__email="p1@example.com").delete()
    with CaptureQueriesContext(connection) as still:
        rehearse(plan, days=30, moment=moment)
    assert len(all_of_them) == len(still) <= 40


def test_rehearsal_out_of_time_says_how_far_it_came(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reminder()
    week(clock)
    monkeypatch.setattr(rehearsing, "CHUNK", 2)
    ticks = iter([0.0, 0.0, 0.0, 0.0, *[99.0] * 50])
    monkeypatch.setattr("wagtail_triggers.engine.rehearsal.time.monotonic", lambda: next(ticks))
    found = rehearsed(row, seconds=10)
    assert not found.is_complete
    assert (found.looked_at, found.triggers) == (2, 6)
    assert found.since > found.asked_since
    newest = Enrolment.objects.filter(journey=row).order_by("-entered_at")[:2]
    assert {one.contact_id for one in found.letters} <= {one.contact_id for one in newest}


def test_rehearsal_takes_nobody_in_again_whom_a_rule_keeps_out(clock: FrozenClock) -> None:
    once = {"kind": "entry", "event": "order_placed", "reentry": {"rule": "once"}}
    row = journey("Once", [once, {"kind": "send", "template": template("Thanks")}])
    with captured_messages():
        for number in range(3):
            order(f"o{number}", SHIRT, who=person(1))
            run_until_idle()
            clock.travel(timedelta(days=20))
    assert rehearsed(row, days=90).entered == 1
    assert rehearsed(row, days=90).refused == {"entered_once": 2}
    assert rehearsed(row, days=30).refused == {"entered_once": 1}
    assert rehearsed(row, days=30).entered == 0


def test_orders_are_those_of_then_not_those_of_today(clock: FrozenClock) -> None:
    first = {"fact": "orders_count", "op": "eq", "value": 1}
    entry = {"kind": "entry", "event": "order_placed", "filter": first}
    row = journey("First order", [entry, {"kind": "send", "template": template("Thanks")}])
    with captured_messages():
        for number in range(3):
            order(f"o{number}", SHIRT, who=person(1))
            run_until_idle()
            clock.travel(timedelta(days=1))
    found = rehearsed(row)
    assert (found.triggers, found.entered, found.sent) == (3, 1, 1)


def stop_address(word: str) -> None:
    """Let the first person's address be stopped: by a wish, a bounce or a complaint."""
    site = Site.objects.get(is_default_site=True)
    change = Change(site.pk, "email", "p1@example.com", "test")
    if word == "all":
        withdraw(change)
        return
    scope, reason = {
        "bounce": (Suppression.Scope.ALL, Suppression.Reason.BOUNCED),
        "complaint": (Suppression.Scope.MARKETING, Suppression.Reason.COMPLAINED),
    }[word]
    code = current_hash("email", change.canonical)
    suppress(change, code, scope=scope, reason=reason, moment=clocks.now())


@pytest.mark.parametrize("asks", [Topic.Consent.OPT_IN, Topic.Consent.SOFT])
@pytest.mark.parametrize(
    "history",
    ["", "yes", "no", "yes no", "no yes", "all", "all yes", "yes all", "yes bounce", "complaint"],
)
def test_consent_is_judged_as_the_guards_judge_it(
    clock: FrozenClock, asks: str, history: str
) -> None:
    about = topic("carts", consent=asks)
    letter = template("Letter", kind=MessageClass.MARKETING, topic=about)
    entry = {"kind": "entry", "event": "user_registered"}
    row = journey("Hello", [entry, {"kind": "send", "template": letter}])
    who = person(1)
    with captured_messages():
        track("page_viewed", contact=who, payload={"url": "https://shop.example/"})
        run_until_idle()
        for word in history.split():
            if word == "yes":
                subscribe(who, "carts", source="test")
            elif word == "no":
                unsubscribe(who, "carts", source="test")
            else:
                stop_address(word)
            run_until_idle()
            clock.travel(timedelta(minutes=1))
        track("user_registered", contact=who)
        run_until_idle()
    real = Message.objects.get()
    (ours,) = rehearsed(row).letters
    assert (ours.state, ours.reason) == (real.state, real.reason)


def test_consent_is_that_of_then(clock: FrozenClock) -> None:
    row = reminder()
    with captured_messages():
        subscribe(person(1), "carts", source="checkout")
        cart("c1", SHIRT, who=person(1))
        run_until_idle()
        for _hour in range(40):
            clock.travel(timedelta(hours=1))
            run_until_idle()
        stop_address("all")
    found = rehearsed(row)
    assert found.sent == 2
    assert found.stopped == {}


def test_every_guard_is_answered_or_known_to_be_about_the_sending() -> None:
    assert set(guards.all()) <= ANSWERED | NOT_ASKED
    assert not ANSWERED & NOT_ASKED


def test_steps_that_ask_outside_are_answered_and_people_are_not(clock: FrozenClock) -> None:
    row = journey(
        "Asked",
        [
            {"kind": "entry", "event": "user_registered"},
            {"kind": "update", "add_tags": ["new"], "score": 5},
            {"kind": "send", "template": template("Hello")},
        ],
    )
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "user_registered"}},
            {"id": "ask", "kind": "human_task", "settings": {
                "title": "Look", "choices": [{"name": "yes", "label": "Yes"}],
                "deadline": {"amount": 2, "unit": "days"}}},
            {"id": "letter", "kind": "send", "settings": {"template": template("Late")}},
            {"id": "end", "kind": "end", "settings": {}},
        ],
        "edges": [
            {"source": "in", "port": "next", "target": "ask"},
            {"source": "ask", "port": "yes", "target": "end"},
            {"source": "ask", "port": "timeout", "target": "letter"},
            {"source": "letter", "port": "next", "target": "end"},
        ],
    }  # fmt: skip
    with captured_messages():
        track("user_registered", contact=person(1))
        run_until_idle()
        clock.travel(timedelta(days=1))
    assert rehearsed(row).sent == 1
    assert rehearsed(row, graph=graph).underway == 1
    clock.travel(timedelta(days=2))
    found = rehearsed(row, graph=graph)
    assert (found.sent, found.completed) == (1, 1)
    assert found.letters[0].planned_at == clock.read() - timedelta(days=1)
