"""Wait for an event or a condition."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.base import ANY_EVENT, EventView
from wagtail_triggers.journeys.steps.decisions import Advance, WaitFor
from wagtail_triggers.journeys.steps.wait_for import WaitForSettings, WaitForStep

from ..world import NOON, World, event, run

HOUR = timedelta(hours=1)
DAY = {"amount": 1, "unit": "days"}


def step(**settings: Any) -> WaitForStep:
    return WaitForStep(WaitForSettings.model_validate(settings))


def order(**more: Any) -> WaitForStep:
    return step(**{"event": "order_placed", "match": "same_object", "timeout": DAY, **more})


def happened(after: timedelta, *refs: str, id: int = 2, **payload: Any) -> EventView:
    return EventView(id, "order_placed", payload, NOON + after, frozenset(refs))


def test_wait_for_an_event_stays_until_it_comes() -> None:
    assert order().decide(run()) == WaitFor(NOON + 24 * HOUR)
    came = run(moment=NOON + HOUR, history=(happened(HOUR, "cart:12"),))
    assert order().decide(came) == Advance("next")


def test_wait_for_an_event_that_came_before_the_run_got_here_passes_at_once() -> None:
    came = run(
        arrived_at=NOON + 2 * HOUR, moment=NOON + 2 * HOUR, history=(happened(HOUR, "cart:12"),)
    )
    assert order().decide(came) == Advance("next")


@pytest.mark.parametrize(
    ("since", "sent", "port"),
    [
        ("run_start", None, "next"),
        ("last_message", None, "next"),  # nothing was sent: the start of the run
        ("last_message", NOON + HOUR / 2, "next"),
        ("last_message", NOON + 1.5 * HOUR, None),
        ("now", None, None),
    ],
)
def test_wait_for_an_event_counts_from_its_anchor(since: str, sent: Any, port: str | None) -> None:
    two = NOON + 2 * HOUR
    here = run(
        arrived_at=two, moment=two, history=(happened(HOUR, "cart:12"),), last_message_at=sent
    )
    found = order(since=since).decide(here)
    assert found == (Advance(port) if port else WaitFor(two + 24 * HOUR))


def test_wait_for_an_event_from_now_on_needs_another_one_than_that_which_led_here() -> None:
    two, since = NOON + 2 * HOUR, "now"
    here = run(arrived_at=two, moment=two, history=(happened(2 * HOUR, "cart:12"),))
    assert order(since=since).decide(here) == WaitFor(two + 24 * HOUR)
    # The clock of the batch was read before the contact was locked: it may have happened since.
    later = replace(here, history=(happened(2 * HOUR + timedelta(seconds=1), "cart:12"),))
    assert order(since=since).decide(later) == Advance("next")
    woken = replace(here, moment=two + HOUR, waiting=True)
    assert order(since=since).decide(woken) == Advance("next")


def test_wait_for_an_event_takes_the_time_out_path_when_the_time_is_over_and_not_before() -> None:
    almost = run(moment=NOON + 24 * HOUR - timedelta(seconds=1), waiting=True)
    assert order().decide(almost) == WaitFor(NOON + 24 * HOUR)
    over = run(moment=NOON + 24 * HOUR, waiting=True)
    assert order().decide(over) == Advance("timeout")


def test_wait_for_looks_once_more_before_it_takes_the_time_out_path() -> None:
    over = run(moment=NOON + 30 * HOUR, history=(happened(25 * HOUR, "cart:12"),))
    assert order().decide(over) == Advance("next")


def test_wait_for_the_same_object_does_not_take_another() -> None:
    other = run(history=(happened(HOUR, "cart:13"),), moment=NOON + HOUR)
    assert order().decide(other) == WaitFor(NOON + 24 * HOUR)
    assert order(match="any").decide(other) == Advance("next")


def test_wait_for_an_event_that_passes_the_filter_reads_the_awaited_event() -> None:
    dear = order(filter={"event": "total.amount", "op": "gte", "value": "50"})
    cheap = run(
        event=event("cart_abandoned", {"total": {"amount": "99"}}, "cart:12"),
        history=(happened(HOUR, "cart:12", total={"amount": "10"}),),
    )
    assert dear.decide(cheap) == WaitFor(NOON + 24 * HOUR)
    rich = replace(cheap, history=(happened(HOUR, "cart:12", total={"amount": "50.00"}),))
    assert dear.decide(rich) == Advance("next")


def test_wait_for_the_kind_of_event_that_began_the_run_does_not_take_that_one() -> None:
    began = happened(timedelta(), "order:1", id=1)
    again = order(match="any")
    assert again.decide(run(event=began, history=(began,))) == WaitFor(NOON + 24 * HOUR)


def test_wait_for_a_condition_passes_at_once_where_it_holds_and_later_where_it_comes_true() -> None:
    regular = step(condition={"fact": "orders_count", "op": "gte", "value": 3}, timeout=DAY)
    assert regular.decide(run(contact={"orders_count": 3})) == Advance("next")
    assert regular.decide(run(contact={"orders_count": 2})) == WaitFor(NOON + 24 * HOUR)
    assert regular.decide(run(moment=NOON + 24 * HOUR)) == Advance("timeout")


def test_wait_for_without_a_time_out_waits_for_ever_and_says_so_beforehand() -> None:
    for_ever = order(timeout=None)
    assert for_ever.decide(run(moment=NOON + 10_000 * HOUR)) == WaitFor(None)
    assert [port.name for port in for_ever.ports()] == ["next"]
    assert [port.name for port in order().ports()] == ["next", "timeout"]
    (problem,) = for_ever.problems(World(), frozenset({"cart_abandoned"}))
    assert (problem.field, problem.severity) == ("timeout", "warning")


@pytest.mark.parametrize(
    ("condition", "wakes"),
    [
        ({"done": "order_placed", "match": "any"}, {"order_placed"}),
        ({"message": "any", "was": "clicked"}, {"message_clicked"}),
        ({"event": "total", "op": "is_set"}, set()),
        ({"fact": "vip", "op": "is_set"}, {ANY_EVENT}),
        ({"segment": "vips"}, {ANY_EVENT}),
        ({"not": {"done": "order_placed", "match": "any"}}, {"order_placed"}),
        (
            {"any": [{"done": "order_placed", "match": "any"}, {"segment": "vips"}]},
            {"order_placed", ANY_EVENT},
        ),
    ],
)
def test_wait_for_a_condition_is_woken_by_what_may_change_it(
    condition: dict[str, Any], wakes: set[str]
) -> None:
    assert step(condition=condition).wakes_on() == wakes


def test_wait_for_an_event_is_woken_by_it_alone_and_listens_for_what_the_filter_needs() -> None:
    both = order(filter={"done": "cart_abandoned", "match": "any"})
    assert both.wakes_on() == {"order_placed"}
    assert both.listens_for() == {"order_placed", "cart_abandoned"}
    assert order(filter={"segment": "vips"}).segments() == {"vips"}
    assert step(condition={"message": "mail1", "was": "opened"}).messages() == {"mail1"}


def test_wait_for_may_pass_at_once_so_it_takes_no_time() -> None:
    assert WaitForStep.takes_time is False


def test_wait_for_in_words_says_for_what() -> None:
    assert (
        order().describe(World())
        == "Wait until “Order placed” happens for the same object, for at most 1 day"
    )
    assert (
        step(condition={"segment": "vips"}).describe(World())
        == "Wait until the person is in the segment “VIPs”"
    )


def test_wait_for_names_what_is_wrong() -> None:
    def fields(**settings: Any) -> list[tuple[str, str]]:
        found = step(timeout=DAY, **settings).problems(World(), frozenset({"user_registered"}))
        return [(one.field, one.severity) for one in found]

    assert fields(event="order_plced", match="any") == [("event", "error")]
    assert fields(event="order_placed", match="same_object") == [("match", "warning")]
    assert fields(
        event="order_placed", match="any", filter={"fact": "nothing", "op": "is_set"}
    ) == [("filter.fact", "error")]
    assert fields(condition={"segment": "none"}) == [("condition.segment", "error")]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"timeout": DAY},
        {"event": "order_placed"},
        {"event": "order_placed", "match": "any", "condition": {"segment": "vips"}},
        {"condition": {"segment": "vips"}, "match": "any"},
        {"condition": {"segment": "vips"}, "since": "now"},
        {"event": "order_placed", "match": "any", "since": "yesterday"},
    ],
)
def test_wait_for_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WaitForSettings.model_validate(settings)
