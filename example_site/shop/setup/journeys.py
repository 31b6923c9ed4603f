"""The journeys that are live from the start."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from wagtail_triggers.journeys.bundles.gallery import recipes
from wagtail_triggers.journeys.bundles.importing import install
from wagtail_triggers.journeys.bundles.survey import Survey
from wagtail_triggers.journeys.models import Journey

from . import letters

Node = dict[str, Any]


def send(node: str, template: str) -> Node:
    return {"id": node, "kind": "send", "settings": {"template": template}}


def wait(node: str, amount: int, unit: str) -> Node:
    return {"id": node, "kind": "wait", "settings": {"amount": amount, "unit": unit}}


def entry(event: str, rule: str) -> Node:
    settings = {"event": event, "filter": None, "reentry": {"rule": rule}}
    return {"id": "start", "kind": "entry", "settings": settings}


def line(*nodes: Node) -> dict[str, Any]:
    """Return the graph of steps that simply follow each other, with an end behind them."""
    steps = [*nodes, {"id": "end", "kind": "end", "settings": {}}]
    return {
        "nodes": [{**step, "position": [0, 120 * n]} for n, step in enumerate(steps)],
        "edges": [
            {"source": one["id"], "port": "next", "target": other["id"]}
            for one, other in pairwise(steps)
        ],
    }


def bought() -> Node:
    """Return the goal that ends a cart's run at once: this very cart became an order."""
    settings = {"event": "order_placed", "match": "same_object", "filter": None, "converts": True}
    return {"id": "bought", "kind": "goal", "settings": settings, "position": [320, 0]}


def set_up(site: Any) -> None:
    """Make and publish the letters and journeys that are missing."""
    keys = letters.set_up(site)
    cart = line(
        entry("cart_abandoned", "each_key"),
        send("first", keys[letters.CART_FIRST.name]),
        wait("a-day", 1, "days"),
        send("second", keys[letters.CART_SECOND.name]),
        wait("two-days", 2, "days"),
        send("third", keys[letters.CART_THIRD.name]),
    )
    cart["nodes"].append(bought())
    _publish(
        site,
        "Welcome",
        "Greets everybody who makes an account, at once.",
        line(entry("user_registered", "once"), send("letter", keys[letters.WELCOME.name])),
    )
    _publish(
        site,
        "Abandoned cart",
        "Three letters about a cart that was left: after an hour, after a day with a voucher, "
        "after three days. Ends as soon as the cart is ordered.",
        cart,
    )
    _publish(
        site,
        "Thank you",
        "Thanks for an order, with its lines, at once.",
        line(entry("order_placed", "each_key"), send("letter", keys[letters.THANKS.name])),
    )
    _from_recipe(site, "shop-large-order")


def _from_recipe(site: Any, identifier: str) -> None:
    """Put a recipe of the shop's own into force, unless it is there."""
    bundle = next(one.bundle for one in recipes() if one.identifier == identifier)
    if Journey.objects.filter(uid=bundle.journey.uid).exists():
        return
    made = install(Survey(bundle, site))
    for letter in made.templates:
        letter.save_revision().publish()
    _in_force(made.journey)


def _publish(site: Any, name: str, description: str, graph: dict[str, Any]) -> None:
    if Journey.objects.filter(site=site, name=name).exists():
        return
    journey = Journey(site=site, name=name, description=description, graph=graph, live=False)
    journey.full_clean()
    journey.save()
    _in_force(journey)


def _in_force(journey: Journey) -> None:
    journey.save_revision().publish()
    journey.refresh_from_db()
    if journey.live_version is None:
        raise RuntimeError(f"“{journey}” cannot be published: {journey.publish_problem}")
