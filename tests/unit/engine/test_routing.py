"""What a person's events do to that person's runs, decided in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.unit.engine.test_advance import WAIT
from wagtail_triggers.engine.live import LiveJourney
from wagtail_triggers.engine.routing import ActiveRun, Person, Routed, route_event
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.plan import Plan, compile_graph
from wagtail_triggers.journeys.reentry import PastRuns
from wagtail_triggers.journeys.steps.base import EventView

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def plan(*, event: str = "cart_updated", match: str | None = "same_object", **entry: Any) -> Plan:
    """An entry, a wait, an end, and a goal of buying."""
    wait = {"amount": WAIT["amount"], "unit": WAIT["unit"]}
    nodes = [
        {"id": "in", "kind": "entry", "settings": {"event": event, **entry}},
        {"id": "wait", "kind": "wait", "settings": wait},
        {"id": "out", "kind": "end", "settings": {}},
    ]
    if match is not None:
        goal = {"event": "order_placed", "match": match, "converts": True}
        nodes.append({"id": "bought", "kind": "goal", "settings": goal})
    edges = [
        {"source": "in", "port": "next", "target": "wait"},
        {"source": "wait", "port": "next", "target": "out"},
    ]
    return compile_graph(Graph.from_json({"nodes": nodes, "edges": edges}))


def journey(number: int = 1, **more: Any) -> LiveJourney:
    """A live journey."""
    return LiveJourney(number, 1, 10 + number, 0, plan(**more))


def happened(number: int, name: str, *refs: str, at: datetime = NOON) -> EventView:
    """An event of the person."""
    return EventView(number, name, {"total": {"amount": "5"}}, at, frozenset(refs))


def person(*active: ActiveRun, **more: Any) -> Person:
    """Somebody."""
    return Person(
        facts={}, zone=ZoneInfo("UTC"), active=list(active), past=more.pop("past", {}), **more
    )


def route(
    who: Person, *events: EventView, journeys: list[LiveJourney] | None = None, depth: int = 0
) -> Routed:
    """Route events in order."""
    routed = Routed()
    for event in events:
        kinds = {ref.split(":")[0]: ref.split(":")[1] for ref in sorted(event.refs)}
        about = kinds.get("order") if event.name == "order_placed" else kinds.get("cart")
        route_event(
            who, event, key=about or "", depth=depth,
            journeys=[journey()] if journeys is None else journeys, moment=NOON, routed=routed,
        )  # fmt: skip
    return routed


CART, OTHER_CART = "cart:12", "cart:13"


def running(key: str = CART, *, enrolment: int = 9, match: str = "same_object") -> ActiveRun:
    """A run about a cart, alive."""
    began = happened(1, "cart_updated", key)
    return ActiveRun(enrolment, 1, key, frozenset({key}), plan(match=match), began)


def test_event_begins_a_run_about_its_object() -> None:
    routed = route(person(), happened(1, "cart_updated", CART))
    (begin,) = routed.begins
    assert (begin.key, begin.entry.first, begin.depth) == (CART, "wait", 0)
    assert (routed.refusals, routed.finishes) == ([], [])


def test_event_that_no_journey_listens_to_does_nothing() -> None:
    assert route(person(), happened(1, "page_viewed")) == Routed()


def test_event_that_the_filter_refuses_begins_nothing_and_is_no_refusal() -> None:
    dear = journey(filter={"event": "total.amount", "op": "gt", "value": "50"})
    assert route(person(), happened(1, "cart_updated", CART), journeys=[dear]) == Routed()


def test_goal_ends_the_run_about_the_same_object_and_no_other() -> None:
    who = person(running(CART, enrolment=9), running(OTHER_CART, enrolment=8))
    routed = route(who, happened(2, "order_placed", "order:77", CART))
    assert [(end.enrolment_id, end.node, end.converts) for end in routed.finishes] == [
        (9, "bought", True)
    ]


def test_goal_that_matches_any_object_ends_every_run_that_began_before() -> None:
    who = person(running(CART, match="any"), running(OTHER_CART, enrolment=8, match="any"))
    routed = route(who, happened(2, "order_placed", "order:77"))
    assert sorted(end.enrolment_id for end in routed.finishes) == [8, 9]
    early = happened(2, "order_placed", "order:76", at=NOON - MINUTE)
    assert route(person(running(match="any")), early).finishes == []


def test_run_that_begins_and_ends_in_one_batch_is_not_begun() -> None:
    routed = route(
        person(), happened(1, "cart_updated", CART), happened(2, "order_placed", "order:77", CART)
    )
    assert (routed.begins, routed.finishes) == ([], [])
    assert [refusal.reason for refusal in routed.refusals] == ["already_done"]


def test_cart_whose_order_is_stored_already_begins_no_run() -> None:
    order = happened(1, "order_placed", "order:77", CART, at=NOON - MINUTE)
    who = person(stored=(order,))
    routed = route(who, happened(2, "cart_updated", CART))
    assert routed.begins == []
    assert [refusal.reason for refusal in routed.refusals] == ["already_done"]
    other = route(person(stored=(order,)), happened(2, "cart_updated", OTHER_CART))
    assert [begin.key for begin in other.begins] == [OTHER_CART]


def test_second_event_about_the_same_object_begins_no_second_run() -> None:
    routed = route(
        person(), happened(1, "cart_updated", CART), happened(2, "cart_updated", CART),
        happened(3, "cart_updated", OTHER_CART),
    )  # fmt: skip
    assert [begin.key for begin in routed.begins] == [CART, OTHER_CART]
    assert [(one.event_id, one.reason) for one in routed.refusals] == [(2, "already_in_journey")]


def test_person_who_was_in_a_journey_that_takes_each_once_is_refused() -> None:
    once = journey(reentry={"rule": "once"})
    who = person(past={1: PastRuns(1, NOON - MINUTE, 0)})
    routed = route(who, happened(1, "cart_updated", CART), journeys=[once])
    assert [refusal.reason for refusal in routed.refusals] == ["entered_once"]


@pytest.mark.parametrize(("depth", "begins"), [(8, 1), (9, 0)])
def test_chain_of_journeys_that_start_each_other_is_cut(depth: int, begins: int) -> None:
    routed = route(person(), happened(1, "cart_updated", CART), depth=depth)
    assert len(routed.begins) == begins
    assert [refusal.reason for refusal in routed.refusals] == ["chain_too_long"] * (1 - begins)


def test_two_journeys_begin_a_run_each() -> None:
    routed = route(
        person(), happened(1, "cart_updated", CART), journeys=[journey(1), journey(2, match=None)]
    )
    assert [begin.journey.journey_id for begin in routed.begins] == [1, 2]


def test_event_that_began_a_run_does_not_end_it() -> None:
    begins_on_order = plan(event="order_placed", match="any")
    live = LiveJourney(1, 1, 11, 0, begins_on_order)
    order = happened(1, "order_placed", "order:77")
    routed = route(person(), order, journeys=[live])
    assert len(routed.begins) == 1
    began = ActiveRun(9, 1, "order:77", order.refs, begins_on_order, order)
    assert route(person(began), order, journeys=[]).finishes == []
