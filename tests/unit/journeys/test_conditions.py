"""Conditions: reading, judging, describing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_triggers.exceptions import TriggersError
from wagtail_triggers.journeys import conditions
from wagtail_triggers.journeys.condition_leaves import Done, EventData, Fact
from wagtail_triggers.journeys.conditions import AllOf, ConditionError, Not, evaluate, parse

from .world import World, event, run

YES = {"fact": "language", "op": "is_set"}
NO = {"fact": "language", "op": "is_not_set"}
PERSON = run(contact={"language": "de"})


def test_condition_read_from_json_is_a_frozen_tree() -> None:
    condition = parse(
        {
            "all": [
                {"fact": "orders_count", "op": "gte", "value": 3},
                {"not": {"event": "total.amount", "op": "in", "value": ["1", 2]}},
                {"done": "order_placed", "match": "any"},
            ]
        }
    )
    assert condition == AllOf(
        (
            Fact("orders_count", "gte", 3),
            Not(EventData("total.amount", "in", ("1", 2))),
            Done("order_placed", "any"),
        )
    )
    assert isinstance(hash(condition), int)


def test_condition_null_always_holds() -> None:
    assert parse(None) is None
    assert evaluate(None, PERSON) is True
    assert conditions.listens_for(None) == frozenset()


@pytest.mark.parametrize(
    ("data", "holds"),
    [
        ({"all": [YES, YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"any": [NO, YES]}, True),
        ({"any": [NO, NO]}, False),
        ({"not": YES}, False),
        ({"not": {"all": [YES, {"any": [NO, NO]}]}}, True),
    ],
)
def test_condition_joined_holds_by_logic(data: dict[str, Any], holds: bool) -> None:
    assert evaluate(parse(data), PERSON) is holds


def test_fact_missing_is_false_and_its_negation_true() -> None:
    leaf = {"fact": "orders_count", "op": "ne", "value": 3}
    assert evaluate(parse(leaf), PERSON) is False
    assert evaluate(parse({"not": leaf}), PERSON) is True


@pytest.mark.parametrize(
    ("path", "op", "value", "holds"),
    [
        ("total.amount", "gt", "50", True),
        ("total.amount", "gt", 60, False),
        ("lines.sku", "eq", "B2", True),
        ("lines.sku", "eq", "C3", False),
        ("lines.unit_price.amount", "gte", "40", True),
        ("tags", "eq", "gift", True),
        ("total.amount.cents", "is_set", None, False),
        ("nothing", "is_not_set", None, True),
        ("lines", "is_set", None, True),
        ("lines.0", "is_set", None, False),
    ],
)
def test_event_data_path_finds_what_is_there(
    path: str, op: str, value: object, holds: bool
) -> None:
    payload = {
        "total": {"amount": "59.90", "currency": "EUR"},
        "lines": [
            {"sku": "A1", "unit_price": {"amount": "9.90"}},
            {"sku": "B2", "unit_price": {"amount": "40.00"}},
        ],
        "tags": ["gift"],
    }
    condition = EventData(path, op, value)  # type: ignore[arg-type]  # from the table above
    assert condition.holds(run(event=event("cart_abandoned", payload))) is holds


@pytest.mark.parametrize(
    ("match", "refs", "holds"),
    [
        ("any", (), True),
        ("any", ("order:9",), True),
        ("same_object", ("order:9", "cart:12"), True),
        ("same_object", ("cart:13",), False),
        ("same_object", (), False),
    ],
)
def test_done_since_entering_asks_what_the_event_was_about(
    match: str, refs: tuple[str, ...], holds: bool
) -> None:
    history = (event("order_placed", None, *refs, id=2),)
    condition = parse({"done": "order_placed", "match": match})
    assert evaluate(condition, run(history=history)) is holds


def test_done_does_not_count_the_event_that_started_the_run() -> None:
    start = event("order_placed", None, "order:1", id=7)
    condition = parse({"done": "order_placed", "match": "any"})
    assert evaluate(condition, run(event=start, history=(start,))) is False


def test_done_does_not_count_another_event() -> None:
    condition = parse({"done": "order_paid", "match": "any"})
    assert evaluate(condition, run(history=(event("order_placed", id=2),))) is False


def test_listens_for_gathers_the_events_of_the_whole_tree() -> None:
    condition = parse(
        {
            "any": [
                {"not": {"done": "order_placed", "match": "any"}},
                {"done": "order_paid", "match": "any"},
                YES,
            ]
        }
    )
    assert conditions.listens_for(condition) == {"order_placed", "order_paid"}


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ("x", "", "must be an object"),
        ({}, "", "exactly one of these keys: all, any, not, fact, event, done"),
        ({"all": [], "any": []}, "", "exactly one"),
        ({"all": []}, "all", "at least one condition"),
        ({"all": "ab"}, "all", "at least one condition"),
        ({"not": None}, "not", "must be an object"),
        ({"all": [YES, {"fact": "x"}]}, "all.1.op", "no such comparison"),
        ({"fact": "x", "op": "gtt", "value": 1}, "op", "Did you mean “gt”?"),
        ({"fact": "x", "op": ["gt"], "value": 1}, "op", "no such comparison"),
        ({"fact": "", "op": "is_set"}, "fact", "1 to 500 characters"),
        ({"fact": 3, "op": "is_set"}, "fact", "1 to 500 characters"),
        ({"fact": "x" * 501, "op": "is_set"}, "fact", "1 to 500 characters"),
        ({"fact": "x", "op": "is_set", "value": 1}, "value", "takes no value"),
        ({"fact": "x", "op": "eq"}, "value", "use “is_set”"),
        ({"fact": "x", "op": "eq", "value": ""}, "value", "use “is_set”"),
        ({"fact": "x", "op": "eq", "value": {"a": 1}}, "value", "a text, a number"),
        ({"fact": "x", "op": "eq", "value": float("nan")}, "value", "a text, a number"),
        ({"fact": "x", "op": "eq", "value": "y" * 501}, "value", "at most 500"),
        ({"fact": "x", "op": "gt", "value": "many"}, "value", "a number such as 12.50"),
        ({"fact": "x", "op": "gt", "value": True}, "value", "a number such as 12.50"),
        ({"fact": "x", "op": "in", "value": "ab"}, "value", "a list"),
        ({"fact": "x", "op": "in", "value": []}, "value", "a list"),
        ({"fact": "x", "op": "in", "value": [None]}, "value", "missing"),
        ({"fact": "x", "op": "in", "value": list(range(201))}, "value", "at most 200"),
        ({"fact": "x", "op": "is_set", "vaule": 1}, "vaule", "Did you mean “value”?"),
        ({"done": "order_placed"}, "match", "“same_object”"),
        ({"done": "order_placed", "match": ["any"]}, "match", "“same_object”"),
    ],
)
def test_condition_out_of_form_is_refused_at_its_place(
    data: object, field: str, words: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(data)
    (problem,) = caught.value.problems
    assert problem.field == field
    assert words in problem.message
    assert isinstance(caught.value, TriggersError)


def test_condition_with_several_faults_names_them_all() -> None:
    with pytest.raises(ConditionError) as caught:
        parse({"any": [{"fact": "", "op": "?"}, {"not": 1}]})
    assert [one.field for one in caught.value.problems] == ["any.0.fact", "any.0.op", "any.1.not"]


def test_condition_ten_deep_is_read_and_eleven_deep_refused() -> None:
    data: dict[str, Any] = YES
    for _ in range(9):
        data = {"not": data}
    assert evaluate(parse(data), PERSON) is False
    with pytest.raises(ConditionError, match="more than 10 deep"):
        parse({"not": data})


def test_condition_of_fifty_leaves_is_read_and_fifty_one_refused_once() -> None:
    parse({"all": [YES] * 50})
    with pytest.raises(ConditionError) as caught:
        parse({"all": [YES] * 53})
    assert [one.message for one in caught.value.problems] == [
        "A condition may compare at most 50 things."
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "always"),
        ({"fact": "orders_count", "op": "gte", "value": 3}, "orders_count is at least 3"),
        ({"fact": "vip", "op": "eq", "value": True}, "vip is yes"),
        ({"fact": "language", "op": "in", "value": ["de", "en"]}, "language is one of “de”, “en”"),
        ({"event": "total.amount", "op": "is_set"}, "the event's total.amount is known"),
        (
            {"done": "order_placed", "match": "any"},
            "“Order placed” has happened since entering",
        ),
        (
            {"all": [{"not": YES}, {"any": [YES, NO]}]},
            "not (language is known) and (language is known or language is not known)",
        ),
    ],
)
def test_condition_in_words_reads_as_a_sentence(data: Any, words: str) -> None:
    assert conditions.describe(parse(data), World()) == words


TRIGGERS = frozenset({"cart_abandoned"})


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (
            {"fact": "order_count", "op": "is_set"},
            ("fact", "There is no fact “order_count” of a contact. Did you mean “orders_count”?"),
        ),
        (
            {"all": [{"fact": "orders_count", "op": "eq", "value": "many"}]},
            ("all.0.value", "This fact is a number: write one, such as 12.50."),
        ),
        (
            {"fact": "birthday", "op": "in", "value": ["2000-01-01", "May"]},
            ("value", "This fact is a date: write one, such as 2026-05-01."),
        ),
        (
            {"fact": "vip", "op": "eq", "value": "perhaps"},
            ("value", "This fact is true or false: write one of these."),
        ),
        (
            {"not": {"event": "total.amont", "op": "is_set"}},
            (
                "not.event",
                "The event has no field “total.amont”. Did you mean “total.amount”?",
            ),
        ),
        (
            {"event": "total", "op": "gt", "value": 5},
            (
                "event",
                "“total” is a group of fields: compare one of them. Known are: total.amount, "
                "total.currency.",
            ),
        ),
        (
            {"event": "a.b.c.d.e.f.g.h.i", "op": "is_set"},
            ("event", "This path has too many parts."),
        ),
        (
            {"done": "order_place", "match": "any"},
            ("done", "There is no event “order_place”. Did you mean “order_placed”?"),
        ),
    ],
)
def test_condition_that_does_not_fit_its_surroundings_says_what_would(
    data: Any, found: tuple[str, str]
) -> None:
    (problem,) = conditions.problems(parse(data), World(), TRIGGERS)
    assert (problem.field, problem.message) == found
    assert problem.severity == "error"


@pytest.mark.parametrize(
    "data",
    [
        {"event": "lines.sku", "op": "eq", "value": "A1"},
        {"event": "lines.unit_price.amount", "op": "gt", "value": "5"},
        {"event": "total", "op": "is_set"},
        {"fact": "birthday", "op": "is_set"},
        {"fact": "orders_count", "op": "gt", "value": "3"},
        {"done": "order_placed", "match": "same_object"},
    ],
)
def test_condition_that_fits_has_no_problem(data: Any) -> None:
    assert list(conditions.problems(parse(data), World(), TRIGGERS)) == []


def test_event_field_undeclared_in_an_open_payload_is_a_warning() -> None:
    leaf = parse({"event": "cart_idd", "op": "is_set"})
    (problem,) = conditions.problems(leaf, World(), frozenset({"order_placed"}))
    assert problem.severity == "warning"
    assert "Did you mean “cart_id”?" in problem.message


def test_event_field_of_an_event_without_declared_fields_passes() -> None:
    leaf = parse({"event": "coupon", "op": "is_set"})
    assert list(conditions.problems(leaf, World(), frozenset({"user_registered"}))) == []


def test_done_about_the_same_object_where_there_is_none_is_a_warning() -> None:
    leaf = parse({"done": "order_placed", "match": "same_object"})
    (problem,) = conditions.problems(leaf, World(), frozenset({"user_registered"}))
    assert (problem.field, problem.severity) == ("match", "warning")
    assert "Choose “any”." in problem.message


leaves = st.one_of(
    st.fixed_dictionaries(
        {
            "fact": st.text(min_size=1, max_size=20).filter(str.strip),
            "op": st.sampled_from(["eq", "ne", "contains"]),
            "value": st.one_of(st.text(min_size=1), st.integers(), st.booleans()),
        }
    ),
    st.fixed_dictionaries(
        {"event": st.just("a.b"), "op": st.just("in"), "value": st.lists(st.integers(), min_size=1)}
    ),
    st.fixed_dictionaries({"event": st.just("a"), "op": st.just("is_set")}),
    st.fixed_dictionaries({"done": st.just("x"), "match": st.sampled_from(["same_object", "any"])}),
)
trees = st.recursive(
    leaves,
    lambda below: st.one_of(
        st.fixed_dictionaries({"all": st.lists(below, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(below, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": below}),
    ),
    max_leaves=8,
)


@given(trees)
def test_condition_written_and_read_again_is_the_same(data: dict[str, Any]) -> None:
    try:
        condition = parse(data)
    except ConditionError as fault:
        assert "nested more than" in str(fault)  # noqa: PT017  the one fault that may occur
        return
    assert conditions.to_json(condition) == data
    assert parse(conditions.to_json(condition)) == condition
    assert evaluate(condition, PERSON) in (True, False)
