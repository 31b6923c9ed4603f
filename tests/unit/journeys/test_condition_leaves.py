"""Conditions on messages of the run, on segments, and on lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from wagtail_triggers.journeys import conditions
from wagtail_triggers.journeys.conditions import ConditionError, evaluate, parse
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.steps.base import EventView, Occurrence
from wagtail_triggers.journeys.structure import Structure
from wagtail_triggers.journeys.validate import validate

from .world import BERLIN, NOON, World, abandoned_cart, event, node, run


def report(name: str, **payload: Any) -> EventView:
    """A provider's report about a message of run 1, unless it says otherwise."""
    data = {"message_id": "m", "run": 1, "node": "mail1", "machine": False, **payload}
    return EventView(5, f"message_{name}", data, NOON + timedelta(hours=1), frozenset())


@pytest.mark.parametrize(
    ("was", "reported", "holds"),
    [
        ("clicked", report("clicked"), True),
        ("clicked", report("opened"), False),
        ("opened", report("opened"), True),
        ("opened", report("clicked"), True),  # whoever clicks has opened it, images or not
        ("opened", report("delivered"), False),
        ("delivered", report("delivered"), True),
        ("bounced", report("bounced"), True),
        ("complained", report("complained"), True),
        ("clicked", report("clicked", machine=True), False),
        ("opened", report("opened", machine=True), False),
        ("clicked", report("clicked", node="mail2"), False),
        ("clicked", report("clicked", run=2), False),
        ("clicked", report("clicked", run=0), False),
    ],
)
def test_message_was_holds_for_this_runs_own_message_and_a_person(
    was: str, reported: EventView, holds: bool
) -> None:
    condition = parse({"message": "mail1", "was": was})
    assert evaluate(condition, run(history=(reported,))) is holds
    assert reported.name in conditions.listens_for(condition) or not holds


def test_message_any_takes_every_node_of_the_run_and_no_other_run() -> None:
    condition = parse({"message": "any", "was": "clicked"})
    assert evaluate(condition, run(history=(report("clicked", node="mail2"),)))
    assert not evaluate(condition, run(history=(report("clicked", run=2),)))
    assert conditions.messages(condition) == frozenset()


def test_message_is_never_there_before_the_run() -> None:
    before = Occurrence({}, event(), BERLIN, history=(report("clicked", run=0),))
    assert not evaluate(parse({"message": "any", "was": "clicked"}), before)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"message": "mail1"}, "was"),
        ({"message": "mail1", "was": "read"}, "was"),
        ({"message": "mail1", "was": ["clicked"]}, "was"),
        ({"message": "", "was": "clicked"}, "message"),
        ({"message": "mail1", "was": "clicked", "op": "eq"}, "op"),
        ({"segment": ""}, "segment"),
        ({"segment": 3}, "segment"),
    ],
)
def test_message_and_segment_out_of_form_are_refused_at_their_place(
    data: dict[str, Any], place: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(data)
    assert place in [problem.field for problem in caught.value.problems]


@pytest.mark.parametrize(
    "data", [{"message": "any", "was": "opened"}, {"segment": "vips"}, {"not": {"segment": "x"}}]
)
def test_message_and_segment_written_and_read_again_are_the_same(data: dict[str, Any]) -> None:
    assert conditions.to_json(parse(data)) == data


def test_message_of_a_node_that_sends_nothing_cannot_be_published() -> None:
    graph = abandoned_cart()
    node(graph, "b1")["settings"] = {"condition": {"message": "w1", "was": "clicked"}}
    (problem,) = Structure.of(Graph.from_json(graph)).problems()
    assert (problem.node, problem.field, problem.severity) == ("b1", "message", "error")
    assert "“w1”" in problem.message
    node(graph, "b1")["settings"] = {"condition": {"message": "mail1", "was": "clicked"}}
    assert validate(Graph.from_json(graph), World()) == ()


def test_segment_holds_for_those_whom_the_engine_found_in_it() -> None:
    condition = parse({"segment": "vips"})
    assert evaluate(condition, run(segments=frozenset({"vips", "new"})))
    assert not evaluate(condition, run(segments=frozenset({"new"})))
    assert conditions.segments(parse({"all": [{"segment": "vips"}, {"segment": "new"}]})) == {
        "vips", "new",
    }  # fmt: skip


def test_segment_that_is_not_there_is_an_error_and_so_is_any_where_nobody_keeps_them() -> None:
    class Nobody(World):
        def segments(self) -> dict[str, str]:
            return {}

    def messages(surroundings: World, segment: str) -> list[str]:
        found = conditions.problems(parse({"segment": segment}), surroundings, frozenset(), "c")
        return [f"{one.field} {one.message[:18]}" for one in found]

    assert messages(World(), "vips") == []
    assert messages(World(), "vip") == ["c.segment There is no segmen"]
    assert messages(Nobody(), "vips") == ["c.segment Nothing here keeps"]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"fact": "tags", "op": "contains", "value": "vip"}, True),
        ({"fact": "tags", "op": "contains", "value": "VIP"}, False),
        ({"fact": "tags", "op": "contains", "value": "vi"}, False),
        ({"fact": "tags", "op": "contains", "value": "ip2"}, False),
        ({"not": {"fact": "tags", "op": "contains", "value": "lost"}}, True),
        ({"fact": "tags", "op": "in", "value": ["lost", "vip2"]}, True),
        ({"fact": "tags", "op": "is_set"}, True),
        ({"fact": "first_name", "op": "contains", "value": "AD"}, True),  # a text, whatever case
        ({"event": "lines.name", "op": "contains", "value": "pot"}, True),
    ],
)
def test_tag_is_contained_whole_and_a_text_in_part(condition: dict[str, Any], holds: bool) -> None:
    person = {"tags": ["vip", "vip2"], "first_name": "Ada"}
    began = event(payload={"lines": [{"name": "Teapot"}]})
    assert evaluate(parse(condition), run(contact=person, event=began)) is holds


def test_tag_of_somebody_without_tags_is_not_contained() -> None:
    wanted = parse({"fact": "tags", "op": "contains", "value": "vip"})
    assert not evaluate(wanted, run(contact={"tags": []}))
    assert not evaluate(wanted, run(contact={}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"message": "mail1", "was": "clicked"}, "the message of “mail1” was clicked"),
        ({"message": "any", "was": "complained"}, "a message of this run was reported as spam"),
        ({"segment": "vips"}, "the person is in the segment “VIPs”"),
        ({"segment": "gone"}, "the person is in the segment “gone”"),
    ],
)
def test_message_and_segment_in_words_read_as_a_clause(data: dict[str, Any], words: str) -> None:
    assert conditions.describe(parse(data), World()) == words
