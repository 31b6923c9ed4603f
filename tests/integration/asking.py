"""Journeys with a step that has something done outside, and people who come to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.shop import line, order, publish
from wagtail_triggers.api import Who
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Job, StepRun
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.journeys.models import Journey

Node = Mapping[str, Any]

COUPON = {
    "kind": "coupon",
    "discount": "percent",
    "value": "10",
    "valid_for": {"amount": 7, "unit": "days"},
    "prefix": "SPRING",
}
WEBHOOK = {"kind": "webhook", "endpoint": "erp", "facts": ["email", "orders_count"]}
TASK = {
    "kind": "human_task",
    "title": "Check the order",
    "instructions": "Is the address complete?",
    "deadline": {"amount": 2, "unit": "days"},
}
#: What the specification's own example is signed with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def forked(
    node: Node, ports: Mapping[str, Sequence[Node]], *, name: str = "Asking", event: str = ""
) -> Journey:
    """Publish entry → `node` → for each of its ports a line of nodes, and then the end."""
    nodes: list[dict[str, Any]] = [
        {"id": "start", "kind": "entry", "settings": {"event": event or "order_placed"}},
        _node("ask", node),
        {"id": "end", "kind": "end"},
    ]
    edges = [{"source": "start", "target": "ask"}]
    for port, followers in ports.items():
        source, out = "ask", port
        for number, follower in enumerate(followers):
            nodes.append(_node(f"{port}{number}", follower))
            edges.append({"source": source, "port": out, "target": f"{port}{number}"})
            source, out = f"{port}{number}", "next"
        edges.append({"source": source, "port": out, "target": "end"})
    return publish(name, {"nodes": nodes, "edges": edges})


def _node(name: str, node: Node) -> dict[str, Any]:
    settings = {key: value for key, value in node.items() if key != "kind"}
    return {"id": name, "kind": node["kind"], "settings": settings}


def buyers(count: int, prefix: str = "p") -> None:
    """So many people with an order each, standing at the step that asks."""
    for number in range(count):
        who = Who(user_id=f"{prefix}{number}", email=f"{prefix}{number}@example.com")
        order(f"{prefix}{number}", line(), who=who)
    route_batch()
    run_due()


def ports() -> list[str]:
    """Through which way out each run left the step."""
    steps = StepRun.objects.filter(node="ask", decision="advance").order_by("pk")
    return list(steps.values_list("port", flat=True))


def jobs(*fields: str) -> list[Any]:
    """These fields of every job, in their order."""
    return list(Job.objects.order_by("pk").values_list(*fields, flat=len(fields) == 1))
