"""A small shop in a few functions: what the tests of the core path stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wagtail.models import Locale, Site

from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import MessageClass, Template

POSTAL_ADDRESS = "Leaf & Kiln, 1 Harbour Street, Bristol BS1 4RN"


def topic(slug: str = "news", consent: str = Topic.Consent.OPT_IN) -> Topic:
    """The topic with this slug, made at need."""
    found, _made = Topic.objects.get_or_create(
        site=Site.objects.get(is_default_site=True),
        slug=slug,
        defaults={"name": slug.title(), "consent": consent},
    )
    return found


def template(
    subject: str,
    body: str | Sequence[tuple[str, Any]] = "<p>Hello {{ contact.first_name }}</p>",
    *,
    kind: str = MessageClass.TRANSACTIONAL,
    topic: Topic | None = None,
) -> str:
    """Publish a template, of HTML or of blocks; returns its translation key."""
    row = Template(
        site=Site.objects.get(is_default_site=True),
        locale=Locale.get_default(),
        name=subject,
        subject=subject,
        body=[("html", body)] if isinstance(body, str) else body,
        message_class=kind,
        topic=topic,
    )
    row.save()
    row.save_revision().publish()
    return str(row.translation_key)


def journey(
    name: str,
    nodes: Sequence[Mapping[str, Any]],
    *,
    goals: Sequence[Mapping[str, Any]] = (),
    priority: int = 0,
) -> Journey:
    """Publish a journey whose nodes follow each other in a line.

    Args:
        nodes: `{"kind": ..., **settings}` from the entry on; an end is added.
        goals: Settings of goals.
    """
    graph: dict[str, Any] = {"nodes": [], "edges": []}
    for number, node in enumerate([*nodes, {"kind": "end"}]):
        settings = {key: value for key, value in node.items() if key != "kind"}
        graph["nodes"].append({"id": f"n{number}", "kind": node["kind"], "settings": settings})
        if number:
            edge = {"source": f"n{number - 1}", "port": "next", "target": f"n{number}"}
            graph["edges"].append(edge)
    for number, goal in enumerate(goals):
        graph["nodes"].append({"id": f"goal{number}", "kind": "goal", "settings": dict(goal)})
    return publish(name, graph, priority=priority)


def publish(name: str, graph: Mapping[str, Any], *, priority: int = 0) -> Journey:
    """Publish a journey with this graph; fails if it did not come into force."""
    site = Site.objects.get(is_default_site=True)
    return publish_on(site, name, graph, priority=priority)


def publish_on(
    site: Site,
    name: str,
    graph: Mapping[str, Any],
    *,
    priority: int = 0,
    row: Journey | None = None,
) -> Journey:
    """Publish a journey of a site, or another version of the one given."""
    if row is None:
        row = Journey(site=site, name=name, priority=priority)
    row.graph = graph
    row.save()
    row.save_revision().publish()
    row.refresh_from_db()
    assert row.publish_problem == ""
    assert row.live_version is not None
    return row


def line(name: str = "Gong Fu teapot", quantity: int = 1, price: str = "42.00") -> dict[str, Any]:
    """A line of a cart or an order."""
    return {
        "sku": name.lower().replace(" ", "-"),
        "name": name,
        "quantity": quantity,
        "unit_price": {"amount": price, "currency": "EUR"},
        "url": "https://shop.example/p/1",
    }


def total(lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The sum of lines, as payloads carry it."""
    cents = sum(round(float(one["unit_price"]["amount"]) * 100) * one["quantity"] for one in lines)
    return {"amount": f"{cents // 100}.{cents % 100:02}", "currency": "EUR"}


ADA = Who(user_id=1, email="ada@example.com", first_name="Ada", last_name="Lovelace")


def cart(cart_id: str, *lines: Mapping[str, Any], who: Who = ADA) -> bool:
    """Track the present state of a cart."""
    return track(
        "cart_updated",
        contact=who,
        key=cart_id,
        payload={"cart_id": cart_id, "lines": list(lines), "total": total(lines)},
    )


def order(
    order_id: str, *lines: Mapping[str, Any], cart_id: str = "", who: Who = ADA, **more: Any
) -> bool:
    """Track an order."""
    return track(
        "order_placed",
        contact=who,
        key=order_id,
        payload={
            "order_id": order_id,
            "number": f"#{order_id}",
            "cart_id": cart_id,
            "lines": list(lines),
            "total": total(lines),
        },
        **more,
    )
