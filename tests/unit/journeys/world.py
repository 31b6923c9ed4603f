"""The small world in which journeys are tested: events, facts, templates, one person's run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from wagtail_triggers.journeys.steps.base import EventView, Run

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
OTHER_JOURNEY = "6c5931fc-9504-4abf-8f7f-1dbab87184a1"
DEAF_JOURNEY = "0d0e3b44-8a35-4b0e-9e5e-3a3b1b3c4d5e"

MONEY = {
    "type": "object",
    "properties": {
        "amount": {"anyOf": [{"type": "number"}, {"type": "string"}]},
        "currency": {"type": "string"},
    },
}
LINE = {
    "type": "object",
    "properties": {"sku": {"type": "string"}, "unit_price": {"$ref": "#/$defs/Money"}},
}
CART = {
    "type": "object",
    "$defs": {"Money": MONEY, "Line": LINE},
    "properties": {
        "cart_id": {"type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        "total": {"anyOf": [{"$ref": "#/$defs/Money"}, {"type": "null"}]},
    },
}


class World:
    """Surroundings that know three events, four facts, one template and one channel."""

    def __init__(self) -> None:
        self.schemas: dict[str, Mapping[str, Any]] = {
            "cart_abandoned": CART,
            "order_placed": {**CART, "additionalProperties": True},
            "user_registered": {"type": "object", "properties": {}, "additionalProperties": True},
        }

    def events(self) -> Mapping[str, str]:
        return {name: name.replace("_", " ").capitalize() for name in self.schemas}

    def payload_schema(self, event: str) -> Mapping[str, Any] | None:
        return self.schemas.get(event)

    def objects_of(self, event: str) -> frozenset[str]:
        objects = {"cart_abandoned": {"cart"}, "order_placed": {"cart", "order"}}
        return frozenset(objects.get(event, set()))

    def facts(self) -> Mapping[str, str]:
        return {
            "orders_count": "number",
            "language": "text",
            "birthday": "date",
            "vip": "yes_no",
            "tags": "list",
        }

    def channels(self) -> Mapping[str, str]:
        return {"email": "E-mail", "sms": "SMS"}

    def template_exists(self, template: str) -> bool:
        return template == "welcome-key"

    def lacks_languages(self, template: str) -> tuple[str, ...]:
        return ()

    def template_label(self, template: str) -> str:
        return "Welcome"

    def lacks_text(self, template: str, channel: str) -> tuple[str, ...]:
        return ("de",) if channel == "sms" else ()

    def segments(self) -> Mapping[str, str]:
        return {"vips": "VIPs"}

    def journeys(self) -> Mapping[str, str]:
        return {OTHER_JOURNEY: "After the order", DEAF_JOURNEY: "Deaf"}

    def takes_calls(self, journey: str) -> bool:
        return journey == OTHER_JOURNEY


def event(
    name: str = "cart_abandoned",
    payload: Mapping[str, Any] | None = None,
    *refs: str,
    id: int = 1,
) -> EventView:
    return EventView(id, name, payload or {}, NOON, frozenset(refs))


def run(
    *,
    contact: Mapping[str, Any] | None = None,
    event: EventView | None = None,
    refs: frozenset[str] = frozenset({"cart:12"}),
    arrived_at: datetime = NOON,
    moment: datetime = NOON,
    zone: ZoneInfo = BERLIN,
    history: tuple[EventView, ...] = (),
    key: str = "cart:12",
    **more: Any,
) -> Run:
    return Run(
        enrolment_id=1,
        contact=contact or {},
        event=event or EventView(1, "cart_abandoned", {}, NOON, refs),
        key=key,
        refs=refs,
        entered_at=NOON,
        arrived_at=arrived_at,
        moment=moment,
        time_zone=zone,
        seq=1,
        history=history,
        **more,
    )


def abandoned_cart() -> dict[str, Any]:
    """A sound journey with every kind of step, as an editor would save it."""
    return {
        "nodes": [
            {
                "id": "start",
                "kind": "entry",
                "settings": {
                    "event": "cart_abandoned",
                    "filter": None,
                    "reentry": {"rule": "each_key"},
                },
                "position": [0, 0],
            },
            {"id": "mail1", "kind": "send", "settings": {"template": "welcome-key"}},
            {"id": "w1", "kind": "wait", "settings": {"amount": 1, "unit": "days"}},
            {
                "id": "b1",
                "kind": "branch",
                "settings": {"condition": {"fact": "orders_count", "op": "gte", "value": 3}},
            },
            {"id": "mail2", "kind": "send", "settings": {"template": "welcome-key"}},
            {
                "id": "bought",
                "kind": "goal",
                "settings": {
                    "event": "order_placed",
                    "match": "same_object",
                    "filter": None,
                    "converts": True,
                },
            },
            {"id": "end", "kind": "end", "settings": {}},
        ],
        "edges": [
            {"source": "start", "port": "next", "target": "mail1"},
            {"source": "mail1", "port": "next", "target": "w1"},
            {"source": "w1", "port": "next", "target": "b1"},
            {"source": "b1", "port": "yes", "target": "mail2"},
            {"source": "b1", "port": "no", "target": "end"},
            {"source": "mail2", "port": "next", "target": "end"},
        ],
    }


def node(graph: dict[str, Any], node_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in graph["nodes"] if one["id"] == node_id)
    return found
