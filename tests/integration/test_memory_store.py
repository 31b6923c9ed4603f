"""The runner cannot tell the database from memory: the same journey, step for step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.shop import ADA, line, order, publish, template
from wagtail_triggers.api import track
from wagtail_triggers.engine.memory import MemoryStore
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.runner import run_batch
from wagtail_triggers.journeys.plan import plan_for
from wagtail_triggers.journeys.steps.base import EventView
from wagtail_triggers.messages.models import Message
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def graph(letter: str) -> dict[str, Any]:
    """Send, wait a day, and a second letter only for those who posted no review."""
    return {
        "nodes": [
            {"id": "start", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "thanks", "kind": "send", "settings": {"template": letter}},
            {"id": "day", "kind": "wait", "settings": {"amount": 1, "unit": "days"}},
            {
                "id": "told",
                "kind": "branch",
                "settings": {"condition": {"done": "review_posted", "match": "any"}},
            },
            {"id": "ask", "kind": "send", "settings": {"template": letter}},
            {"id": "end", "kind": "end", "settings": {}},
        ],
        "edges": [
            {"source": "start", "port": "next", "target": "thanks"},
            {"source": "thanks", "port": "next", "target": "day"},
            {"source": "day", "port": "next", "target": "told"},
            {"source": "told", "port": "yes", "target": "end"},
            {"source": "told", "port": "no", "target": "ask"},
            {"source": "ask", "port": "next", "target": "end"},
        ],
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reviews", "letters", "nodes"),
    [
        (False, 2, ["thanks", "day", "day", "told", "ask", "end"]),
        (True, 1, ["thanks", "day", "day", "told", "end"]),
    ],
)
def test_run_in_memory_and_in_the_database_takes_the_same_steps(
    reviews: bool, letters: int, nodes: list[str]
) -> None:
    with travelling(START) as clock, captured_messages():
        journey = publish("Review", graph(template("Hello")))
        assert journey.live_version is not None
        order("77", line())
        run_until_idle()
        clock.travel(timedelta(hours=2))
        if reviews:
            track("review_posted", contact=ADA, payload={"rating": 5})
        run_until_idle()
        clock.travel(timedelta(hours=22))
        run_until_idle()

    store = MemoryStore(START)
    plan = plan_for(journey.live_version.pk, journey.live_version.graph)
    run = store.begin(plan, EventView(1, "order_placed", {}, START, frozenset({"order:77"})))
    run_batch(store)
    store.travel(timedelta(hours=2))
    if reviews:
        run.events.append(EventView(2, "review_posted", {}, store.moment))
    assert run_batch(store) == 0
    store.travel(timedelta(hours=22))
    run_batch(store)

    kept = Enrolment.objects.get()
    rows = list(kept.steps.order_by("seq"))
    in_database = [(step.seq, step.node, step.decision, step.port) for step in rows]
    in_memory = [(step.seq, step.node, step.decision, step.port) for step in run.steps]
    assert in_memory == in_database
    assert [step.node for step in run.steps] == nodes
    assert (run.state, run.node, run.seq) == (kept.state, kept.node, kept.seq)
    assert len(run.intents) == Message.objects.count() == letters


def many_kinds(letter: str) -> dict[str, Any]:
    """A split, a change, an event of its own, a wait for a review, a time of day."""
    late = {"event": "review_posted", "match": "any", "timeout": {"amount": 2, "unit": "days"}}
    paths = [
        {"name": "liked", "condition": {"fact": "tags", "op": "contains", "value": "liked"}},
        {"name": "poor", "condition": {"fact": "score", "op": "lt", "value": 5}},
    ]
    return {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "lot", "kind": "split",
             "settings": {"variants": [{"name": "a"}, {"name": "b"}]}},
            {"id": "gain", "kind": "update", "settings": {"score": 5}},
            {"id": "mail", "kind": "send", "settings": {"template": letter}},
            {"id": "wait", "kind": "wait_for", "settings": late},
            {"id": "like", "kind": "update", "settings": {"add_tags": ["liked"]}},
            {"id": "nine", "kind": "wait_time", "settings": {"at": "09:00"}},
            {"id": "which", "kind": "branch_paths", "settings": {"paths": paths}},
            {"id": "say", "kind": "emit", "settings": {"event": "wishlist_updated"}},
            {"id": "hear", "kind": "wait_for",
             "settings": {"condition": {"done": "wishlist_updated", "match": "any"}}},
            {"id": "out", "kind": "exit", "settings": {"reason": "liked it"}},
            {"id": "end", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "target": "lot"},
            {"source": "lot", "port": "a", "target": "gain"},
            {"source": "lot", "port": "b", "target": "mail"},
            {"source": "gain", "target": "mail"},
            {"source": "mail", "target": "wait"},
            {"source": "wait", "target": "like"},
            {"source": "wait", "port": "timeout", "target": "nine"},
            {"source": "like", "target": "nine"},
            {"source": "nine", "target": "which"},
            {"source": "which", "port": "liked", "target": "say"},
            {"source": "which", "port": "poor", "target": "say"},
            {"source": "which", "port": "else", "target": "end"},
            {"source": "say", "target": "hear"},
            {"source": "hear", "target": "out"},
        ],
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("reviews", [True, False])
def test_run_of_many_kinds_in_memory_and_in_the_database_takes_the_same_steps(
    reviews: bool,
) -> None:
    with travelling(START) as clock, captured_messages():
        journey = publish("Kinds", many_kinds(template("Hello")))
        assert journey.live_version is not None
        order("77", line())
        run_until_idle()
        for hours in (5, 48, 24):
            clock.travel(timedelta(hours=hours))
            if reviews and hours == 5:
                track("review_posted", contact=ADA, payload={"rating": 5})
            run_until_idle()
    kept = Enrolment.objects.get()

    store = MemoryStore(START)
    plan = plan_for(journey.live_version.pk, journey.live_version.graph)
    began = EventView(1, "order_placed", {}, START, frozenset({"order:77"}))
    run = store.begin(
        plan,
        began,
        contact={"score": 0, "tags": []},
        key="order:77",
        journey_id=journey.pk,
        contact_id=kept.contact_id,
    )
    for hours in (0, 5, 48, 24):
        store.travel(timedelta(hours=hours))
        if reviews and hours == 5:
            store.happen(run, EventView(2, "review_posted", {}, store.moment))
        while run_batch(store):
            pass

    in_database = [
        (step.seq, step.node, step.decision, step.port) for step in kept.steps.order_by("seq")
    ]
    assert [(step.seq, step.node, step.decision, step.port) for step in run.steps] == in_database
    assert (run.state, run.reason, run.node, run.seq) == (
        kept.state, kept.reason, kept.node, kept.seq,
    )  # fmt: skip
    assert (run.contact.get("tags", []), run.contact.get("score", 0)) == (
        kept.contact.tags, kept.contact.score,
    )  # fmt: skip
    assert ("wait", "advance", "next" if reviews else "timeout") in [
        (node, decision, port) for _seq, node, decision, port in in_database
    ]
