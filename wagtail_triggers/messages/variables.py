"""Which variables a message template may use, and what each of them is.

The tree serves two ends: `liquid.check` resolves every path of a template against it, and the admin
lists it for editors.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from pydantic import BaseModel

Kind = Literal["text", "number", "boolean", "date", "datetime", "money", "object", "list", "any"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its kind, and what it holds.

    Attributes:
        kind: What a template gets. "any" is known to exist, but not what it is.
        label: What it is, for people.
        fields: The fields of an object or of money.
        item: What a list holds.
        open: Whether an object may have fields beyond `fields` (facts that a host declares).
    """

    kind: Kind
    label: str = ""
    fields: Mapping[str, Variable] = field(default_factory=dict)
    item: Variable | None = None
    open: bool = False


ANY: Final = Variable("any", open=True)
TEXT: Final = Variable("text")
NUMBER: Final = Variable("number")
BOOLEAN: Final = Variable("boolean")
DATE: Final = Variable("date")
DATETIME: Final = Variable("datetime")
MONEY: Final = Variable("money", fields={"amount": NUMBER, "currency": TEXT})

#: Every object and list answers these (python-liquid, `RenderContext.get_item`).
_SIZE: Final = "size"
_ENDS: Final = frozenset({"first", "last"})


class UnknownVariable(LookupError):
    """A path leads nowhere.

    Attributes:
        path: The path as it was written.
        suggestion: The nearest path that exists, or "".
    """

    def __init__(self, path: str, suggestion: str = "") -> None:
        super().__init__(path)
        self.path = path
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class VariableTree:
    """All variables that a template may use, by the name of their root."""

    roots: Mapping[str, Variable]

    def resolve(
        self, path: Sequence[object], scope: Mapping[str, Variable] | None = None
    ) -> Variable:
        """Follow a path.

        Args:
            path: Its segments: names, indexes, or anything else for a key that is only known when
                the template renders.
            scope: Local names (loop variables, `assign`, `capture`), which hide roots.

        Raises:
            UnknownVariable: With the nearest path that exists.
        """
        roots = {**self.roots, **(scope or {})}
        here = Variable("object", fields=roots)
        walked: list[str] = []
        for segment in path:
            there = _step(here, segment)
            if there is None:
                written = ".".join([*walked, *map(str, path[len(walked) :])])
                raise UnknownVariable(written, _nearest(walked, str(segment), here))
            walked.append(str(segment))
            here = there
        return here

    def paths(self) -> Iterator[tuple[str, Variable]]:
        """Every path that an editor can pick, with its variable; list items as `lines[]`."""
        for name, variable in self.roots.items():
            yield from _paths(name, variable)


def _step(here: Variable, segment: object) -> Variable | None:
    if here.kind == "any" or not isinstance(segment, str | int):
        return ANY
    if here.kind == "list":
        if isinstance(segment, int) or segment in _ENDS:
            return here.item or ANY
        return NUMBER if segment == _SIZE else None
    if isinstance(segment, str) and segment in here.fields:
        return here.fields[segment]
    if here.open:
        return ANY
    if segment == _SIZE and here.kind in {"text", "object", "money"}:
        return NUMBER
    return None


def _nearest(walked: list[str], segment: str, here: Variable) -> str:
    near = difflib.get_close_matches(segment, list(here.fields), n=1, cutoff=0.6)
    return ".".join([*walked, near[0]]) if near else ""


def _paths(path: str, variable: Variable) -> Iterator[tuple[str, Variable]]:
    yield path, variable
    for name, child in variable.fields.items():
        yield from _paths(f"{path}.{name}", child)
    if variable.item is not None:
        for name, child in variable.item.fields.items():
            yield from _paths(f"{path}[].{name}", child)


def tree_from_model(model: type[BaseModel]) -> Variable:
    """Describe a payload by its pydantic model's JSON schema.

    Returns:
        An object variable. An object with exactly an amount and a currency is money.
    """
    schema = model.model_json_schema()
    return _from_schema(schema, schema.get("$defs", {}))


def _from_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Variable:
    if "$ref" in schema:
        return _from_schema(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    choices = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if choices:
        known = [_from_schema(one, definitions) for one in choices]
        # A Decimal's schema is "number or string": to a template it is a number.
        return min(known, key=lambda one: ("number", "money").count(one.kind) == 0)
    label = str(schema.get("description") or "")
    kind = str(schema.get("type", ""))
    if kind == "object":
        return _object_from_schema(schema, definitions, label)
    if kind == "array":
        return Variable("list", label, item=_from_schema(schema.get("items", {}), definitions))
    if kind == "string":
        texts: Mapping[str, Kind] = {"date-time": "datetime", "date": "date"}
        return Variable(texts.get(schema.get("format", ""), "text"), label)
    scalars: Mapping[str, Kind] = {"number": "number", "integer": "number", "boolean": "boolean"}
    if kind in scalars:
        return Variable(scalars[kind], label)
    return replace(ANY, label=label)


def _object_from_schema(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], label: str
) -> Variable:
    fields = {
        name: _from_schema(child, definitions)
        for name, child in schema.get("properties", {}).items()
    }
    if set(fields) == {"amount", "currency"}:
        return replace(MONEY, label=label)
    # Payloads keep what they do not declare, but a template that names it is far more often a slip
    # of the pen: only an object that declares nothing at all may hold anything.
    return Variable("object", label, fields, open=not fields)


LINE: Final = Variable(
    "object",
    fields={
        "sku": TEXT,
        "name": TEXT,
        "quantity": NUMBER,
        "unit_price": MONEY,
        "url": TEXT,
        "image_url": TEXT,
        "category": TEXT,
    },
)
_LINES: Final = Variable("list", item=LINE)

#: What every template sees, whatever event started its journey.
CONTACT: Final = Variable(
    "object",
    fields={
        "first_name": TEXT,
        "last_name": TEXT,
        "name": TEXT,
        "email": TEXT,
        "phone": TEXT,
        "language": TEXT,
        "time_zone": TEXT,
        "birthday": DATE,
        "last_seen_at": DATETIME,
        "last_order_at": DATETIME,
        "orders_count": NUMBER,
        "spent": NUMBER,
        "currency": TEXT,
    },
)
CART: Final = Variable(
    "object", fields={"cart_id": TEXT, "lines": _LINES, "total": MONEY, "url": TEXT}
)
ADDRESS: Final = Variable(
    "object",
    fields=dict.fromkeys(("name", "line1", "line2", "postcode", "city", "region", "country"), TEXT),
)
ORDER: Final = Variable(
    "object",
    fields={
        "order_id": TEXT,
        "number": TEXT,
        "cart_id": TEXT,
        "checkout_id": TEXT,
        "lines": _LINES,
        "subtotal": MONEY,
        "shipping": MONEY,
        "discount": MONEY,
        "tax": MONEY,
        "total": MONEY,
        "shipping_address": ADDRESS,
        "url": TEXT,
        "tracking_url": TEXT,
        "tracking_number": TEXT,
        "carrier": TEXT,
        "expected_on": DATE,
    },
)
SITE: Final = Variable("object", fields={"name": TEXT, "url": TEXT})
#: What the step `coupon` gave the run; empty where it gave none.
COUPON: Final = Variable(
    "object",
    fields={
        "code": TEXT,
        "discount": TEXT,
        "percent": NUMBER,
        "amount": MONEY,
        "minimum": MONEY,
        "expires_at": DATETIME,
    },
)
LINKS: Final = Variable("object", fields={"unsubscribe": TEXT, "preferences": TEXT})

#: What a digest's template is written for, in the place of an event.
DIGEST: Final = "digest"
#: The messages that a digest stands for, the most important first.
ITEMS: Final = Variable(
    "list",
    item=Variable(
        "object",
        fields={"subject": TEXT, "url": TEXT, "cart": CART, "order": ORDER, "event": ANY},
    ),
)


def message_variables(
    payload_models: Iterable[type[BaseModel]] = (), *, facts: Mapping[str, Variable] | None = None
) -> VariableTree:
    """The variables of a message template.

    Args:
        payload_models: Payloads of the events that may start the journey. A template may be used
            by several journeys, so `event` has the fields of all of them. Without any, `event` may
            hold anything.
        facts: Facts that the host declares on contacts, by name.
    """
    payloads = [tree_from_model(model) for model in payload_models]
    fields: dict[str, Variable] = {}
    for payload in payloads:
        fields.update(payload.fields)
    event = Variable("object", fields=fields, open=not payloads)
    return VariableTree(
        {
            "contact": replace(CONTACT, fields={**CONTACT.fields, **(facts or {})}),
            "event": event,
            "cart": CART,
            "order": ORDER,
            "coupon": COUPON,
            "site": SITE,
            "links": LINKS,
        }
    )
