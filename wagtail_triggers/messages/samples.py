"""Made-up data for previews: nobody's real name or cart is shown to whoever writes a template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ..contacts.known_facts import BUILT_IN, known_facts
from ..events.types import EventType, event_types
from .personas import REGULAR, Persona
from .variables import (
    BOOLEAN,
    CART,
    DATE,
    DATETIME,
    DIGEST,
    ITEMS,
    NUMBER,
    ORDER,
    TEXT,
    Variable,
    VariableTree,
    message_variables,
    tree_from_model,
)

_KINDS: Final[Mapping[str, Variable]] = {
    "text": TEXT,
    "number": NUMBER,
    "date": DATE,
    "datetime": DATETIME,
    "yes_no": BOOLEAN,
}
#: As the coupon step makes them; it ends a week from now.
_CODE: Final = "SPRING-7K2M-0ADN-Q9XE-4TRW"
_COUPON_HOLDS: Final = timedelta(days=7)
_MONEY: Final = {"amount": Decimal("24.90"), "currency": "EUR"}
#: Two of everything, so that a loop is seen to be one.
_PRODUCTS: Final = (
    "Linen shirt",
    "Wool blanket",
    "Stoneware teapot with a bamboo handle, 1.2 litres, in midnight blue",
    "Oak tray",
    "Soap",
)
#: What a text field holds, by its name.
_TEXTS: Final[Mapping[str, str]] = {
    "cart_id": "1042",
    "order_id": "77",
    "checkout_id": "512",
    "number": "2026-0077",
    "topic": "news",
    "title": "Autumn collection",
    "query": "linen",
    "tracking_number": "00340434161094022115",
    "carrier": "DHL",
    "category": "Home",
    "text": "Lovely and warm.",
    "subject": "You left something behind",
}


def variables_for(event: str) -> VariableTree:
    """Return the variables that a template written for `event` may use; "" for any event."""
    kind = event_types.all().get(event)
    declared = {name: _KINDS[one] for name, one in known_facts().items() if name not in BUILT_IN}
    tree = message_variables([kind.payload] if kind else (), facts=declared)
    # A digest has no event, no cart and no order of its own: each of its parts has.
    return VariableTree({**_of_all(tree), "items": ITEMS}) if event == DIGEST else tree


def _of_all(tree: VariableTree) -> dict[str, Variable]:
    return {name: tree.roots[name] for name in ("contact", "site", "links")}


def sample_context(
    event: str,
    *,
    moment: datetime,
    language: str,
    site: Mapping[str, str],
    image_url: str = "",
    persona: Persona = REGULAR,
) -> dict[str, Any]:
    """Return made-up values for every variable of a template.

    Args:
        event: What the template is written for; "" for any event.
        moment: Now, for the dates in the data.
        language: The language of the made-up person.
        site: `name` and `url` of the shop.
        image_url: An absolute address, for fields that hold a picture's.
        persona: Who it is.
    """
    maker = _Maker(moment, site["url"], image_url, persona.lines)
    kind = event_types.all().get(event)
    payload = _summed(maker.value("event", tree_from_model(kind.payload))) if kind else {}
    context: dict[str, Any] = {
        "contact": _person(language, maker, persona),
        "event": payload,
        "coupon": {
            "code": _CODE,
            "discount": "percent",
            "percent": 10,
            "amount": dict(_MONEY),
            "minimum": dict(_MONEY),
            "expires_at": moment + _COUPON_HOLDS,
        },
        "site": dict(site),
        "links": {
            "unsubscribe": f"{site['url']}/unsubscribe/sample",
            "preferences": "",
        },
    }
    if event == DIGEST:
        del context["event"]
        context["items"] = maker.value("items", ITEMS)
        return context
    for name, variable in (("cart", CART), ("order", ORDER)):
        if _is_about(name, kind):
            made = _summed(maker.value(name, variable))
            context[name] = {**made, **{k: v for k, v in payload.items() if k in made}}
    return context


def _summed(made: dict[str, Any]) -> dict[str, Any]:
    """Let the total be what the lines come to, where there are both."""
    lines = made.get("lines")
    if isinstance(lines, list) and "total" in made:
        amounts = (line["unit_price"]["amount"] * line["quantity"] for line in lines)
        made["total"] = {**_MONEY, "amount": sum(amounts, Decimal(0))}
    return made


def _is_about(name: str, kind: EventType | None) -> bool:
    """Say whether a message on this event knows of a cart or an order."""
    return kind is None or kind.about == name or (name, kind.about) == ("cart", "checkout")


def _person(language: str, maker: _Maker, persona: Persona) -> dict[str, Any]:
    declared = {
        name: maker.value(name, _KINDS[kind]) if persona.known else None
        for name, kind in known_facts().items()
        if name not in BUILT_IN
    }
    return {
        "first_name": "Anna",
        "last_name": "Berg",
        "name": "Anna Berg",
        "email": "anna.berg@example.com",
        "phone": "+442079460958",
        "time_zone": "Europe/London",
        "language": language,
        "last_seen_at": maker.moment - timedelta(hours=2),
        "last_order_at": maker.moment - timedelta(days=30),
        "birthday": maker.moment.date().replace(year=1990, day=1),
        "orders_count": 3,
        "spent": Decimal("182.40"),
        "currency": "EUR",
        **declared,
        **persona.facts,
    }


class _Maker:
    """Makes a value for a variable, by its kind and its name."""

    def __init__(self, moment: datetime, site_url: str, image_url: str, lines: int = 2) -> None:
        self.moment = moment
        self.site_url = site_url
        self.image_url = image_url
        self.lines = lines

    def value(self, name: str, variable: Variable, nth: int = 0) -> Any:
        """Return a value; `nth` is its place in a list."""
        if variable.kind == "money" or (variable.kind == "any" and "price" in name):
            return dict(_MONEY)
        if variable.kind == "object":
            return {key: self.value(key, one, nth) for key, one in variable.fields.items()}
        if variable.kind == "list":
            item = variable.item or TEXT
            return [self.value(name, item, place) for place in range(self.lines)]
        scalars: Mapping[str, Any] = {
            "number": 1 + nth,
            "boolean": True,
            "date": self.moment.date(),
            "datetime": self.moment,
        }
        return scalars.get(variable.kind) or self._text(name, nth)

    def _text(self, name: str, nth: int) -> str:
        if name == "image_url":
            return self.image_url
        if name == "url" or name.endswith("_url"):
            return f"{self.site_url}/sample"
        if name == "sku":
            return f"SKU-{nth + 1}"
        if name == "name":
            return _PRODUCTS[nth % len(_PRODUCTS)]
        return _TEXTS.get(name, name.replace("_", " ").capitalize())
