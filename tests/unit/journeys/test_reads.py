"""What steps say they look at, they look at, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wagtail_triggers.engine.due import UNREAD_EVENT, UNREAD_FACTS, StepReadsMore
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.plan import Plan, compile_graph
from wagtail_triggers.journeys.steps.base import Run
from wagtail_triggers.journeys.steps.registry import steps

MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)
#: Every kind of step that says it does not look at everything, with settings that use all of it.
LOOKS_AT_LESS: dict[str, dict[str, Any]] = {
    "wait": {"amount": 1, "unit": "days", "jitter": {"amount": 5, "unit": "minutes"}},
    "wait_time": {"at": "09:00", "weekdays": ["mon", "tue"]},
    "wait_window": {"windows": [{"from": "09:00", "to": "17:00", "weekdays": ["mon"]}]},
    "send": {"template": "0b0d5f0e-6f5b-4c50-9a57-7a2e0a3b6b0e"},
    "exit": {"reason": "enough"},
    "end": {},
    "split": {"variants": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]},
    "holdout": {"percent": 10},
    "human_task": {
        "title": "Look", "deadline": {"amount": 1, "unit": "days"},
        "choices": [{"name": "yes", "label": "Yes"}, {"name": "no", "label": "No"}],
    },
}  # fmt: skip


def unread(node: str = "n") -> Run:
    """A run of which nothing was read that a step has to name."""
    return Run(
        7, UNREAD_FACTS, UNREAD_EVENT, "order:1", frozenset(), MOMENT, MOMENT, MOMENT,
        ZoneInfo("Europe/Berlin"), 0, journey_id=1, contact_id=2, node=node,
    )  # fmt: skip


def test_every_step_that_looks_at_less_is_tried_here() -> None:
    assert {name for name, kind in steps.all().items() if kind.reads != {"contact", "event"}} == {
        *LOOKS_AT_LESS
    }


@pytest.mark.parametrize("kind", LOOKS_AT_LESS)
def test_step_that_says_it_looks_at_less_decides_without_it(kind: str) -> None:
    found: Any = steps.get(kind)
    found(found.Settings.model_validate(LOOKS_AT_LESS[kind])).decide(unread())


def test_what_was_not_read_raises_with_directions() -> None:
    run = unread()
    with pytest.raises(StepReadsMore, match='Add "contact" to its `reads`'):
        _email = run.contact["email"]
    with pytest.raises(StepReadsMore, match='Add "contact" to its `reads`'):
        run.contact.get("email")
    with pytest.raises(StepReadsMore, match='Add "event" to its `reads`'):
        _name = run.event.payload


def plan(*kinds: tuple[str, dict[str, Any]]) -> Plan:
    """A plan whose steps stand in a line behind an entry."""
    nodes = [("entry", {"event": "order_placed"}), *kinds, ("end", {})]
    return compile_graph(
        Graph.from_json(
            {
                "nodes": [
                    {"id": f"n{n}", "kind": kind, "settings": given}
                    for n, (kind, given) in enumerate(nodes)
                ],
                "edges": [
                    {"source": f"n{n}", "port": "next", "target": f"n{n + 1}"}
                    for n in range(len(nodes) - 1)
                ],
            }
        )
    )


def test_plan_reads_what_may_be_asked_before_time_is_spent() -> None:
    wait = ("wait", {"amount": 1, "unit": "hours"})
    update = ("update", {"add_tags": ["seen"]})
    send = ("send", {"template": LOOKS_AT_LESS["send"]["template"]})
    found = plan(wait, send, wait, update)
    assert found.reads("n1") == frozenset()  # the update comes a wait later
    assert found.reads("n3") == {"contact", "event"}
    assert found.reads("no such node") == {"contact", "event"}
