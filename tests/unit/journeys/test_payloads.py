"""Reading a path from a payload, and from the schema that pydantic writes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from wagtail_triggers.journeys.payloads import SchemaField, field_of, values_at


class Money(BaseModel):
    amount: Decimal
    currency: str


class Line(BaseModel):
    sku: str
    unit_price: Money | None = None


class Cart(BaseModel):
    cart_id: str
    lines: list[Line] = []
    total: Money | None = None
    notes: dict[str, str] = {}


class OpenCart(Cart):
    model_config = ConfigDict(extra="allow")


class Tree(BaseModel):
    name: str
    below: list[Tree] = []


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("a", [1]),
        ("b.c", [2]),
        ("l.x", [3, 4]),
        ("l.deep.y", [5]),
        ("nested", [6, 7]),
        ("b", [{"c": 2}]),
        ("a.b", []),
        ("", []),
        ("none", [None]),
    ],
)
def test_values_at_a_path_are_all_that_are_there(path: str, values: list[Any]) -> None:
    payload = {
        "a": 1,
        "b": {"c": 2},
        "l": [{"x": 3}, {"x": 4, "deep": {"y": 5}}, "text"],
        "nested": [[6], [7]],
        "none": None,
    }
    assert values_at(payload, path) == values


@pytest.mark.parametrize(
    ("model", "path", "expected"),
    [
        (Cart, "cart_id", SchemaField(True)),
        (Cart, "lines.unit_price.amount", SchemaField(True)),
        (
            Cart,
            "total",
            SchemaField(True, is_object=True, siblings=("total.amount", "total.currency")),
        ),
        (Cart, "totl", SchemaField(False, siblings=("cart_id", "lines", "total", "notes"))),
        (Cart, "total.cents", SchemaField(False, siblings=("total.amount", "total.currency"))),
        (Cart, "cart_id.x", SchemaField(False)),
        (Cart, "notes.anything", SchemaField(False, open=True)),
        (
            OpenCart,
            "coupon",
            SchemaField(False, open=True, siblings=("cart_id", "lines", "total", "notes")),
        ),
        (Tree, "below.below.name", SchemaField(True)),
    ],
)
def test_field_of_a_pydantic_schema_says_what_it_declares(
    model: type[BaseModel], path: str, expected: SchemaField
) -> None:
    assert field_of(model.model_json_schema(), path) == expected
