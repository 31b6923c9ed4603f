"""Emit an event, start a journey, leave, be called."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.events.types import event_types
from wagtail_triggers.journeys.steps.base import Role
from wagtail_triggers.journeys.steps.decisions import Act, Advance, Emit, Exit, Park
from wagtail_triggers.journeys.steps.emit import (
    INVALID,
    MISSING,
    NOT_ALLOWED,
    EmitSettings,
    EmitStep,
)
from wagtail_triggers.journeys.steps.entry_called import EntryCalledSettings, EntryCalledStep
from wagtail_triggers.journeys.steps.exit import ExitSettings, ExitStep
from wagtail_triggers.journeys.steps.start_journey import (
    TOO_LONG,
    StartJourneySettings,
    StartJourneyStep,
)

from ..world import DEAF_JOURNEY, OTHER_JOURNEY, World, event, run

CART = frozenset({"cart_abandoned"})


class Shop(World):
    """Surroundings with every event that there is."""

    def events(self) -> dict[str, str]:
        return {name: str(kind.label) for name, kind in event_types.all().items()}

    def payload_schema(self, event: str) -> Any:
        return event_types.get(event).payload.model_json_schema()


def emit(**settings: Any) -> EmitStep:
    return EmitStep(EmitSettings.model_validate(settings))


def test_emit_records_values_and_copies_about_the_objects_of_the_run() -> None:
    step = emit(
        event="review_posted", key={"event": "first"},
        payload={"rating": 5, "name": {"event": "lines.name"}, "extra": {"event": "total"}},
    )  # fmt: skip
    began = event(payload={"first": 77, "lines": [{"name": "pot"}], "total": {"amount": "1"}})
    found = step.decide(run(event=began, refs=frozenset({"cart:12", "order:7"})))
    assert isinstance(found, Park)  # a name is one text, and lines are many
    assert found.reason == INVALID
    good = emit(
        event="review_posted", key={"event": "first"},
        payload={"rating": 5, "extra": {"event": "total"}, "absent": {"event": "nothing"}},
    )  # fmt: skip
    found = good.decide(run(event=began, refs=frozenset({"cart:12", "order:7"})))
    assert isinstance(found, Act)
    (made,) = found.effects
    assert isinstance(made, Emit)
    assert (made.event, made.key, made.refs) == (
        "review_posted", "77", frozenset({"cart:12", "order:7"}),
    )  # fmt: skip
    assert made.payload["rating"] == 5
    assert made.payload["extra"] == {"amount": "1"}
    assert "absent" not in made.payload


def test_emit_copies_a_list_as_a_list() -> None:
    lines = [{"sku": "a", "name": "A"}]
    step = emit(event="cart_updated", payload={"cart_id": "12", "lines": {"event": "lines"}})
    found = step.decide(run(event=event(payload={"lines": lines})))
    assert isinstance(found, Act)
    (made,) = found.effects
    assert isinstance(made, Emit)
    assert [(line["sku"], line["name"]) for line in made.payload["lines"]] == [("a", "A")]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"event": "cart_updated", "payload": {"cart_id": "12"}}, "12"),  # as the run: cart:12
        ({"event": "user_registered"}, ""),
        ({"event": "user_registered", "key": 5}, "5"),
        ({"event": "user_registered", "key": "x"}, "x"),
    ],
)
def test_emit_without_a_key_takes_the_runs_where_both_are_about_the_same_kind(
    settings: dict[str, Any], key: str
) -> None:
    found = emit(**settings).decide(run())
    assert isinstance(found, Act)
    (made,) = found.effects
    assert isinstance(made, Emit)
    assert made.key == key


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"event": "no_such_event"}, NOT_ALLOWED),
        ({"event": "cart_abandoned", "payload": {"cart_id": "1"}}, NOT_ALLOWED),
        ({"event": "contact_changed"}, NOT_ALLOWED),
        ({"event": "price_dropped", "payload": {"sku": "a"}}, NOT_ALLOWED),
        ({"event": "subscribed"}, NOT_ALLOWED),
        ({"event": "message_clicked", "payload": {"message_id": "1"}}, NOT_ALLOWED),
        ({"event": "cart_updated"}, INVALID),
        ({"event": "cart_updated", "payload": {"cart_id": {"event": "nothing"}}}, INVALID),
        ({"event": "user_registered", "key": {"event": "nothing"}}, MISSING),
        ({"event": "user_registered", "key": "x" * 129}, INVALID),
        ({"event": "user_registered", "payload": {"a": "x" * 70_000}}, INVALID),
    ],
)
def test_emit_that_cannot_do_its_work_parks_the_run(settings: dict[str, Any], reason: str) -> None:
    assert emit(**settings).decide(run()) == Park(reason)


def test_emit_names_what_is_wrong() -> None:
    def fields(**settings: Any) -> list[tuple[str, str]]:
        found = emit(**settings).problems(Shop(), CART)
        return [(one.field, one.severity) for one in found]

    assert fields(event="review_posted", payload={"rating": 5}) == []
    assert fields(event="reviw_posted") == [("event", "error")]
    assert fields(event="unsubscribed") == [("event", "error")]
    assert fields(event="cart_abandoned") == [("event", "error")]
    assert fields(event="cart_updated") == [("payload", "error")]
    assert fields(event="cart_updated", payload={"cart_id": {"event": "cart_id"}}) == []
    assert fields(event="cart_updated", payload={"cart_id": {"event": "nope"}}) == [
        ("payload.cart_id.event", "warning")
    ]


def test_emit_in_words_names_the_event() -> None:
    assert emit(event="order_placed").describe(World()) == "Let “Order placed” happen"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"event": ""},
        {"event": "e", "key": ["a"]},
        {"event": "e", "payload": {"a": {"event": 1}}},
    ],
)
def test_emit_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EmitSettings.model_validate(settings)


# Start another journey.


def start(uid: str = OTHER_JOURNEY) -> StartJourneyStep:
    return StartJourneyStep(StartJourneySettings(journey=uid))


def test_start_journey_hands_on_object_references_and_data() -> None:
    refs = frozenset({"cart:12", "order:7"})
    found = start().decide(run(event=event(payload={"total": 3, "journey": "mine"}), refs=refs))
    payload = {"total": 3, "journey": OTHER_JOURNEY}
    assert found == Act((Emit("journey_requested", "cart:12", payload, refs),))


def test_start_journey_whose_object_has_too_long_a_name_parks_the_run() -> None:
    assert start().decide(run(key="cart:" + "x" * 124)) == Park(TOO_LONG)


def test_start_journey_names_a_journey_that_is_not_there_or_is_deaf() -> None:
    def found(uid: str) -> list[tuple[str, str]]:
        return [(one.field, one.severity) for one in start(uid).problems(World(), CART)]

    assert found(OTHER_JOURNEY) == []
    assert found(DEAF_JOURNEY) == [("journey", "warning")]
    assert found("00000000-0000-4000-8000-000000000000") == [("journey", "error")]


def test_start_journey_reads_a_uid_in_any_form_and_nothing_else() -> None:
    assert start(OTHER_JOURNEY.upper().replace("-", "")).settings.journey == OTHER_JOURNEY
    assert start().describe(World()) == "Start the journey “After the order”"
    with pytest.raises(ValidationError, match="uid of a journey"):
        start("After the order")


# Leave, and be called.


def test_exit_ends_the_run_with_its_reason() -> None:
    step = ExitStep(ExitSettings(reason="no longer fits", converted=True))
    assert step.decide(run()) == Exit("no longer fits", converted=True)
    assert step.ports() == ()
    assert step.describe(World()) == "Leave: no longer fits (the goal is reached)"
    assert ExitStep(ExitSettings(reason="no")).describe(World()) == "Leave: no"
    with pytest.raises(ValidationError):
        ExitSettings.model_validate({"reason": ""})


def test_entry_called_listens_to_calls_alone() -> None:
    step = EntryCalledStep(EntryCalledSettings.model_validate({"reentry": {"rule": "once"}}))
    assert step.settings.event == "journey_requested"
    assert step.role is Role.ENTRY
    assert step.decide(run()) == Advance()
    assert (
        step.describe(World()) == "When this journey is started from elsewhere (each person once)"
    )
    with pytest.raises(ValidationError):
        EntryCalledSettings.model_validate({"event": "order_placed"})


def test_entry_called_is_checked_like_any_entry() -> None:
    settings = {"filter": {"fact": "nothing", "op": "is_set"}}
    step = EntryCalledStep(EntryCalledSettings.model_validate(settings))
    assert [one.field for one in step.problems(Shop(), frozenset())] == ["filter.fact"]
