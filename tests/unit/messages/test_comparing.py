"""Conditions over data that was kept as JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from wagtail_triggers.messages.liquid import freeze_context, render_source

CONTEXT = freeze_context(
    {
        "spent": "182.40",
        "price": Decimal("50"),
        "count": 3,
        "ratio": 0.5,
        "none": None,
        "hollow": "",
        "space": "  ",
        "name": "Ann",
        "yes": True,
        "lines": [1],
        "nothing": [],
        "day": date(2026, 2, 3),
        "at": datetime(2026, 2, 3, 12, tzinfo=UTC),
        "iso": "2026-02-03",
        "late": "2026-02-03T18:00:00+00:00",
    }
)


@pytest.mark.parametrize(
    "condition",
    [
        "spent > 100",
        "spent >= 182.4",
        "spent <= 182.4",
        "spent == 182.4",
        "182.4 == spent",
        "spent != 100",
        "100 < spent",
        "price == 50",
        "price < spent",
        "ratio < price",
        "count > 2 and spent > 2",
        "count == 3",
        "name == 'Ann'",
        "name != 'Bob'",
        "name < 'Bob'",
        "day < late",
        "day == iso",
        "at > iso",
        "at < late",
        "at != late",
        "none == blank",
        "missing == blank",
        "hollow == blank",
        "space == blank",
        "nothing == blank",
        "name != blank",
        "lines != blank",
        "hollow == empty",
        "none == nil",
        "missing == nil",
        "yes == true",
        "lines contains 1",
        "name contains 'n'",
    ],
)
def test_condition_holds(condition: str) -> None:
    source = "{% if " + condition + " %}yes{% else %}no{% endif %}"
    assert render_source(source, CONTEXT, html=False) == "yes"


@pytest.mark.parametrize(
    "condition",
    [
        "spent > 200",
        "spent != 182.4",
        "spent == '100'",
        "name > 5",
        "name < 5",
        "name == 5",
        "none > 5",
        "none < 5",
        "missing >= 0",
        "missing <= 0",
        "lines > 0",
        "yes > 0",
        "day > 5",
        "day > 'soon'",
        "at == iso",
        "none != blank",
        "missing != blank",
        "name == blank",
        "yes == 1",
        "none contains 'a'",
    ],
)
def test_condition_does_not_hold_and_never_fails(condition: str) -> None:
    source = "{% if " + condition + " %}yes{% else %}no{% endif %}"
    assert render_source(source, CONTEXT, html=False) == "no"


def test_condition_on_a_long_list_of_numbers_is_exact() -> None:
    assert render_source("{% if 0.1 == 0.1 and 3 == 3.0 %}yes{% endif %}", {}, html=False) == "yes"
