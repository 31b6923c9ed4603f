"""A run is followed from step to step until it waits, parks or ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wagtail_triggers.engine import advance
from wagtail_triggers.engine.advance import MAX_STEPS, Progress, follow
from wagtail_triggers.engine.runner import decide
from wagtail_triggers.engine.store import DueRun
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.plan import Plan, compile_graph
from wagtail_triggers.journeys.steps.base import EventView, Run
from wagtail_triggers.journeys.steps.decisions import Park
from wagtail_triggers.journeys.steps.wait import WaitStep

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LETTER = "6f0d5f5e-2a0c-4f43-9f5e-0c8c8b6e1a11"


def plan_of(*nodes: dict[str, Any]) -> Plan:
    """A line of nodes after an entry, with an end."""
    line = [{"kind": "entry", "event": "order_placed"}, *nodes, {"kind": "end"}]
    graph: dict[str, Any] = {"nodes": [], "edges": []}
    for number, node in enumerate(line):
        settings = {key: value for key, value in node.items() if key != "kind"}
        graph["nodes"].append({"id": f"n{number}", "kind": node["kind"], "settings": settings})
        if number:
            edge = {"source": f"n{number - 1}", "port": "next", "target": f"n{number}"}
            graph["edges"].append(edge)
    return compile_graph(Graph.from_json(graph))


def run_at(moment: datetime = NOON, *, arrived: datetime = NOON, seq: int = 0) -> Run:
    """Ada's run."""
    event = EventView(1, "order_placed", {}, NOON, frozenset({"order:1"}))
    return Run(
        enrolment_id=5, contact={}, event=event, key="order:1", refs=event.refs,
        entered_at=NOON, arrived_at=arrived, moment=moment, time_zone=ZoneInfo("UTC"), seq=seq,
    )  # fmt: skip


SEND = {"kind": "send", "template": LETTER}
WAIT = {"kind": "wait", "amount": 1, "unit": "hours"}


def test_follow_goes_on_until_the_run_waits() -> None:
    found = follow(run_at(), plan_of(SEND, WAIT), "n1")
    assert [(step.seq, step.node, step.decision) for step in found.steps] == [
        (1, "n1", "send"), (2, "n2", "wait"),
    ]  # fmt: skip
    assert [(intent.seq, intent.template) for intent in found.intents] == [(1, LETTER)]
    assert (found.node, found.seq, found.state) == ("n2", 2, "active")
    assert found.wake_at == NOON + timedelta(hours=1)
    assert not found.ended


def test_follow_goes_on_from_the_wait_once_it_is_over() -> None:
    later = NOON + timedelta(hours=1)
    found = follow(run_at(later, seq=2), plan_of(SEND, WAIT, SEND), "n2")
    assert [(step.seq, step.decision) for step in found.steps] == [
        (3, "advance"), (4, "send"), (5, "exit"),
    ]  # fmt: skip
    assert (found.state, found.reason, found.wake_at) == ("completed", "completed", None)
    assert found.ended


def test_follow_asked_too_early_waits_on_and_says_nothing_twice() -> None:
    found = follow(run_at(NOON + timedelta(minutes=59), seq=2), plan_of(SEND, WAIT), "n2")
    assert found.intents == ()
    assert found.wake_at == NOON + timedelta(hours=1)


def test_follow_never_wakes_at_the_present_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    from wagtail_triggers.journeys.steps.decisions import WaitUntil

    monkeypatch.setattr(WaitStep, "decide", lambda self, run: WaitUntil(at=run.moment))
    found = follow(run_at(), plan_of(WAIT), "n1")
    assert found.wake_at == NOON + timedelta(seconds=1)
    assert len(found.steps) == 1


def test_follow_stops_after_a_hundred_steps_and_goes_on_at_the_next_tick() -> None:
    plan = plan_of(*[SEND] * (MAX_STEPS + 10))
    first = follow(run_at(), plan, "n1")
    assert (len(first.steps), first.state, first.wake_at) == (MAX_STEPS, "active", NOON)
    rest = follow(run_at(seq=first.seq), plan, first.node)
    assert (len(rest.steps), rest.state) == (11, "completed")
    assert rest.steps[0].seq == MAX_STEPS + 1


@pytest.mark.parametrize("answer", [Park(reason="look at me"), "nonsense"])
def test_follow_parks_a_run_whose_step_wants_help_or_talks_nonsense(
    monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr(WaitStep, "decide", lambda self, run: answer)
    found = follow(run_at(), plan_of(WAIT), "n1")
    assert (found.state, found.wake_at, found.node) == ("parked", None, "n1")
    assert found.reason in (
        "look at me", "The step gave an answer that the engine does not know.",
    )  # fmt: skip
    assert not found.ended


def test_decide_lets_a_run_that_raises_fail_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(WAIT)
    decide_once = WaitStep.decide

    def fails_for_two(self: WaitStep, run: Run) -> Any:
        if run.seq == 2:
            raise ZeroDivisionError("no shop is perfect")
        return decide_once(self, run)

    monkeypatch.setattr(WaitStep, "decide", fails_for_two)
    runs = [DueRun(run_at(seq=seq), plan, "n1", tries=1) for seq in (1, 2, 3)]
    progress, failures = decide(runs)
    assert [one.seq for one in progress] == [2, 4]
    assert [(one.tries, one.node, one.error) for one in failures] == [
        (2, "n1", "ZeroDivisionError: no shop is perfect")
    ]


def test_progress_that_is_parked_or_active_has_not_ended() -> None:
    states = {
        state: Progress(1, "n", 0, NOON, None, state).ended
        for state in ("active", "parked", "completed", "exited", "converted")
    }
    assert states == {
        "active": False, "parked": False, "completed": True, "exited": True, "converted": True,
    }  # fmt: skip
    assert advance.MAX_STEPS == 100
