"""What steps change on their way: seen by the steps behind, kept by the store, held back whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wagtail_triggers.contacts import known_facts
from wagtail_triggers.engine.advance import changed, follow
from wagtail_triggers.engine.memory import MemoryRun, MemoryStore
from wagtail_triggers.engine.runner import run_batch
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.plan import Plan, compile_graph
from wagtail_triggers.journeys.steps.base import Answer, EventView, Run
from wagtail_triggers.journeys.steps.decisions import (
    Ask,
    Assign,
    ChangeContact,
    Decision,
    Emit,
    WaitFor,
)
from wagtail_triggers.journeys.steps.wait import WaitStep

from .test_advance import run_at

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
A_WEEK = {"amount": 7, "unit": "days"}


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_facts, "_declared", {"tea": "text"})


def plan(nodes: Sequence[dict[str, Any]], *edges: str) -> Plan:
    """Nodes by kind and settings; edges as "a>b" or "a.port>b". The first is the entry's."""
    listed = [{"id": "in", "kind": "entry", "settings": {"event": "order_placed"}}]
    for node in nodes:
        settings = {key: value for key, value in node.items() if key not in ("id", "kind")}
        listed.append({"id": node["id"], "kind": node["kind"], "settings": settings})
    listed.append({"id": "end", "kind": "end"})
    ways = []
    for edge in (f"in>{nodes[0]['id']}", *edges):
        source, _, target = edge.partition(">")
        place, _, port = source.partition(".")
        ways.append({"source": place, "port": port or "next", "target": target})
    return compile_graph(Graph.from_json({"nodes": listed, "edges": ways}))


def begin(store: MemoryStore, own: Plan, **more: Any) -> MemoryRun:
    """A run that begins with an order."""
    event = EventView(1, "order_placed", {}, store.moment, frozenset({"order:1"}))
    return store.begin(own, event, key="order:1", **more)


def taken(row: MemoryRun) -> list[tuple[str, str, str]]:
    """Which steps a run took."""
    return [(step.node, step.decision, step.port) for step in row.steps]


def test_change_is_seen_by_the_steps_behind_it() -> None:
    own = plan(
        [
            {"id": "set", "kind": "update", "facts": {"tea": "sencha"}, "add_tags": ["vip"],
             "score": 5},
            {"id": "ask", "kind": "branch_paths", "paths": [
                {"name": "both", "condition": {"all": [
                    {"fact": "tea", "op": "eq", "value": "sencha"},
                    {"fact": "tags", "op": "contains", "value": "vip"},
                    {"fact": "score", "op": "eq", "value": 5},
                ]}},
            ]},
        ],
        "set>ask", "ask.both>end", "ask.else>end",
    )  # fmt: skip
    store = MemoryStore(NOON)
    row = begin(store, own)
    run_batch(store)
    assert taken(row) == [("set", "act", "next"), ("ask", "advance", "both"), ("end", "exit", "")]
    assert row.contact == {"tea": "sencha", "tags": ["vip"], "score": 5}
    assert [done.seq for done in row.effects] == [1]


def test_changed_takes_facts_away_adds_tags_once_and_never_falls_below_zero() -> None:
    before = {"tea": "black", "tags": ["a", "b"], "score": 3}
    change = ChangeContact({"tea": None, "cups": 2}, ("b", "c"), ("a",), -10)
    assert changed(before, change) == {"cups": 2, "tags": ["b", "c"], "score": 0}
    assert before == {"tea": "black", "tags": ["a", "b"], "score": 3}
    assert changed({}, ChangeContact({"gone": None})) == {"tags": [], "score": 0}


def test_variant_is_kept_at_its_first_use_and_shared_by_the_persons_runs() -> None:
    own = plan(
        [{"id": "s", "kind": "split", "variants": [{"name": "a"}, {"name": "b"}]}],
        "s.a>end", "s.b>end",
    )  # fmt: skip
    store = MemoryStore(NOON)
    rows = [begin(store, own, contact_id=number % 10) for number in range(30)]
    run_batch(store)
    ways: dict[int, set[str]] = {}
    for row in rows:
        ways.setdefault(row.contact_id, set()).add(row.steps[0].port)
    assert all(len(ports) == 1 for ports in ways.values())
    assert {port for ports in ways.values() for port in ports} == {"a", "b"}
    again = begin(store, own, contact_id=3)
    run_batch(store)
    assert again.steps[0].decision == "advance"
    assert {again.steps[0].port} == ways[3]
    assert [done.effect for done in rows[3].effects] == [Assign("journey:1:s", again.steps[0].port)]


def test_wait_for_an_event_is_woken_by_it_and_by_nothing_else() -> None:
    own = plan(
        [{"id": "w", "kind": "wait_for", "event": "review_posted", "match": "any",
          "timeout": A_WEEK}],
        "w>end", "w.timeout>end",
    )  # fmt: skip
    store = MemoryStore(NOON)
    row = begin(store, own)
    run_batch(store)
    assert (row.waiting, row.wake_at) == (True, NOON + 7 * 24 * HOUR)
    store.travel(HOUR)
    store.happen(row, EventView(2, "page_viewed", {}, store.moment))
    assert run_batch(store) == 0
    store.happen(row, EventView(3, "review_posted", {}, store.moment))
    assert run_batch(store) == 1
    assert taken(row) == [("w", "wait_for", ""), ("w", "advance", "next"), ("end", "exit", "")]


def test_wait_for_a_condition_woken_for_nothing_writes_no_second_record() -> None:
    own = plan(
        [{"id": "w", "kind": "wait_for", "timeout": A_WEEK,
          "condition": {"fact": "orders_count", "op": "gte", "value": 2}}],
        "w>end", "w.timeout>end",
    )  # fmt: skip
    store = MemoryStore(NOON)
    row = begin(store, own, contact={"orders_count": 1})
    run_batch(store)
    for number in range(5):
        store.travel(HOUR)
        store.happen(row, EventView(number + 2, "page_viewed", {}, store.moment))
        assert run_batch(store) == 1
    assert taken(row) == [("w", "wait_for", "")]
    assert row.wake_at == NOON + 7 * 24 * HOUR
    store.travel(7 * 24 * HOUR)
    run_batch(store)
    assert taken(row)[1] == ("w", "advance", "timeout")


def test_event_of_a_run_is_seen_by_its_own_later_wait() -> None:
    own = plan(
        [
            {"id": "say", "kind": "emit", "event": "review_posted", "payload": {"rating": 5}},
            {"id": "w", "kind": "wait_for", "event": "review_posted", "match": "same_object"},
        ],
        "say>w", "w>end",
    )  # fmt: skip
    store = MemoryStore(NOON)
    row = begin(store, own)
    run_batch(store)
    assert (row.waiting, row.wake_at) == (True, NOON)
    (done,) = row.effects
    assert isinstance(done.effect, Emit)
    assert row.events[0].refs == {"order:1"}
    assert row.events[0].payload["rating"] == 5
    run_batch(store)
    assert row.state == "completed"


def test_change_of_a_person_reaches_their_other_runs() -> None:
    waits = plan(
        [{"id": "w", "kind": "wait_for",
          "condition": {"fact": "tags", "op": "contains", "value": "vip"}}],
        "w>end",
    )  # fmt: skip
    tags = plan([{"id": "t", "kind": "update", "add_tags": ["vip"]}], "t>end")
    store = MemoryStore(NOON)
    patient, stranger = begin(store, waits, contact_id=1), begin(store, waits, contact_id=2)
    run_batch(store)
    begin(store, tags, contact_id=1)
    run_batch(store)
    run_batch(store)
    assert (patient.contact["tags"], patient.state) == (["vip"], "completed")
    assert (stranger.contact, stranger.state) == ({}, "active")


# Decisions that the engine keeps, whatever step makes them.


class Speaks:
    """Replaces a step's `decide` by a list of answers."""

    def __init__(self, *answers: Decision) -> None:
        self.answers = list(answers)
        self.seen: list[Run] = []

    def __call__(self, step: WaitStep, run: Run) -> Decision:
        self.seen.append(run)
        return self.answers.pop(0)


def line() -> Plan:
    """One step that is told what to say, and an end."""
    return plan([{"id": "w", "kind": "wait", "amount": 1, "unit": "hours"}], "w>end")


def test_ask_waits_for_its_answer_and_asks_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Ask("coupon", {"percent": 10}, NOON + HOUR)
    spoken = Speaks(ask, ask)
    monkeypatch.setattr(WaitStep, "decide", lambda self, run: spoken(self, run))
    first = follow(run_at(), line(), "w")
    assert [(job.kind, job.data, job.until) for job in first.jobs] == [
        ("coupon", {"percent": 10}, NOON + HOUR)
    ]
    assert (first.waiting, first.wake_at, first.seq) == (True, NOON + HOUR, 1)
    store = MemoryStore(NOON)
    spoken.answers = [ask, ask]
    row = begin(store, line())
    run_batch(store)
    store.answer(row, Answer("coupon", "pending"))
    run_batch(store)
    assert (len(row.jobs), taken(row)) == (1, [("w", "ask", "")])
    assert spoken.seen[-1].answer == Answer("coupon", "pending")
    assert spoken.seen[-1].waiting is True


def test_wait_for_nothing_in_particular_has_no_time_to_wake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoken = Speaks(WaitFor(), WaitFor(NOON - HOUR))
    monkeypatch.setattr(WaitStep, "decide", lambda self, run: spoken(self, run))
    assert follow(run_at(), line(), "w").wake_at is None
    late = follow(run_at(), line(), "w")
    assert late.wake_at == NOON + timedelta(seconds=1)  # never now: that would be for ever
