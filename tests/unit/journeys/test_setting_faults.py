"""Whatever is wrong with settings is said in a sentence, never in pydantic's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from wagtail_triggers.journeys.graph import Node
from wagtail_triggers.journeys.setting_faults import setting_faults
from wagtail_triggers.journeys.steps.registry import steps as step_kinds
from wagtail_triggers.journeys.structure import build

WRONG: tuple[Any, ...] = (
    None,
    "",
    "x",
    "x" * 5_000,
    -1,
    10**30,
    1.5,
    True,
    [],
    [[]],
    ["x"] * 500,
    {},
    {"x": 1},
)
#: What pydantic's own messages are made of.
ITS_WORDS = (
    "Input should",
    "should have at",
    "valid ",
    "Value error",
    "Tuple",
    "List",
    "Dictionary",
    "unable to parse",
    "Field required",
    "Extra inputs",
)


def faults(kind: str, settings: Any) -> list[tuple[str, str]]:
    node = Node("n", kind, settings)
    try:
        build(node)
    except ValidationError as error:
        return [(one.field, one.message) for one in setting_faults(node, error)]
    return []


def wrongs(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    yield {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        for value in WRONG:
            yield {key: value}
            yield {key: [value]}
            yield {key: {"amount": value, "unit": value, "rule": value, "name": value}}
            yield {key: [{"name": value, "label": value, "weight": value}]}


@pytest.mark.parametrize("kind", sorted(step_kinds.all()))
def test_fault_of_any_setting_is_a_sentence_of_ours(kind: str) -> None:
    said = {
        message
        for settings in wrongs(step_kinds.get(kind).Settings)
        for _place, message in faults(kind, settings)
    }
    raw = sorted(one for one in said if any(words in one for words in ITS_WORDS))
    assert raw == []
    assert all(one.rstrip()[-1] in ".?" for one in said), said


@pytest.mark.parametrize(
    ("kind", "settings", "place", "message"),
    [
        ("split", {"variants": []}, "variants", "At least 2 are needed. Add them."),
        ("wait", {"amount": 0, "unit": "days"}, "amount", "This must be more than 0."),
        ("wait", {"amount": "two", "unit": "days"}, "amount", "This must be a whole number."),
        ("holdout", {"percent": 500}, "percent", "This must be 99 or less."),
        ("send", {"template": ""}, "template", "This is missing. Fill it in."),
        ("send", {"template": 7}, "template", "This must be a text."),
        ("wait", {"amount": 1, "unit": "moons"}, "unit", "This must be one of: "),
        ("send", {"template": "t", "chanel": "x"}, "chanel", "There is no such setting. Did you"),
    ],
)
def test_fault_names_the_fix(kind: str, settings: Any, place: str, message: str) -> None:
    found = [words for at, words in faults(kind, settings) if at == place]
    assert len(found) == 1
    assert found[0].startswith(message)
