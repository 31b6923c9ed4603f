"""What a person's events do to that person's runs, decided in memory."""

from __future__ import annotations

import random
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


def test_event_that_the_filter_refuses_begins_nothing_and_says_which_condition_saw_what() -> None:
    leaf = {"event": "total.amount", "op": "gt", "value": "50"}
    dear = journey(filter=leaf)
    routed = route(person(), happened(1, "cart_updated", CART), journeys=[dear])
    (refusal,) = routed.refusals
    assert (routed.begins, refusal.reason, refusal.version_id) == ([], "filtered", dear.version_id)
    (door,) = refusal.detail
    assert door["why"] == [{"leaf": leaf, "holds": False, "found": "5"}]


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


# Waking runs.


def waiting(event: str = "review_posted", *, enrolment: int = 9, **more: Any) -> ActiveRun:
    """A run that waits for something to happen."""
    nodes = [
        {"id": "in", "kind": "entry", "settings": {"event": "cart_updated"}},
        {"id": "wait", "kind": "wait_for", "settings": {"event": event, "match": "any"}},
        {"id": "out", "kind": "end"},
    ]
    edges = [{"source": "in", "target": "wait"}, {"source": "wait", "target": "out"}]
    own = compile_graph(Graph.from_json({"nodes": nodes, "edges": edges}))
    began = happened(1, "cart_updated", CART)
    run = ActiveRun(enrolment, 1, CART, frozenset({CART}), own, began, journey_uid=UID, node="wait")
    run.waiting = more.pop("waiting", True)
    return run


UID = "6c5931fc-9504-4abf-8f7f-1dbab87184a1"


def woken(who: Person, event: EventView, *, depth: int = 0, made_by: int = 0) -> Routed:
    """Route one event."""
    routed = Routed()
    route_event(
        who, event, key="", depth=depth, journeys=(), moment=NOON, routed=routed, made_by=made_by
    )
    return routed


def test_wake_only_those_who_wait_for_such_an_event() -> None:
    who = person(waiting(), waiting("order_paid", enrolment=8), waiting(enrolment=7, waiting=False))
    routed = woken(who, happened(2, "review_posted"), depth=3)
    assert [(wake.enrolment_id, wake.depth) for wake in routed.wakes] == [(9, 3)]


def test_wake_a_run_that_ends_by_the_same_event_never() -> None:
    run = waiting("order_placed")
    goal = plan(match="any")
    both = ActiveRun(9, 1, CART, run.refs, goal, run.began, node="wait", waiting=True)
    routed = woken(person(both), happened(2, "order_placed"))
    assert (len(routed.finishes), routed.wakes) == (1, [])


def test_wake_in_too_long_a_chain_is_refused_with_its_reason() -> None:
    assert [
        wake.depth for wake in woken(person(waiting()), happened(2, "review_posted"), depth=8).wakes
    ] == [8]
    cut = woken(person(waiting()), happened(2, "review_posted"), depth=9)
    assert cut.wakes == []
    assert [(one.event_id, one.reason) for one in cut.refusals] == [(2, "chain_too_long")]


def test_wake_by_an_event_of_its_own_making_makes_a_run_no_deeper() -> None:
    routed = woken(person(waiting()), happened(2, "review_posted"), depth=9, made_by=9)
    assert [(wake.enrolment_id, wake.depth) for wake in routed.wakes] == [(9, 0)]
    assert routed.refusals == []


def test_wake_by_its_own_change_of_the_person_never() -> None:
    who = person(waiting("contact_changed"), waiting("contact_changed", enrolment=8))
    routed = woken(who, happened(2, "contact_changed"), depth=1, made_by=9)
    assert [wake.enrolment_id for wake in routed.wakes] == [8]


# Asked in, asked out.


def called(uid: str = UID, number: int = 1, **more: Any) -> LiveJourney:
    """A live journey that is started from elsewhere."""
    live = LiveJourney(number, 1, 10 + number, 0, plan(event="journey_requested", **more), uid)
    return live


def request(
    name: str = "journey_requested", *refs: str, number: int = 2, uid: str = UID
) -> EventView:
    """Somebody asks for a journey, or out of it."""
    return EventView(number, name, {"journey": uid}, NOON, frozenset(refs))


def ask(who: Person, *events: EventView, journeys: list[LiveJourney] | None = None) -> Routed:
    """Route requests, each about its one reference."""
    routed = Routed()
    for event in events:
        route_event(
            who, event, key=min(event.refs, default=""), depth=0,
            journeys=[called()] if journeys is None else journeys, moment=NOON, routed=routed,
        )  # fmt: skip
    return routed


def test_request_begins_a_run_of_the_journey_that_it_names_and_of_no_other() -> None:
    other = called("11111111-1111-4111-8111-111111111111", 2)
    routed = ask(person(), request("journey_requested", CART), journeys=[called(), other])
    assert [(begin.journey.journey_id, begin.key) for begin in routed.begins] == [(1, CART)]
    assert routed.unheard == []


def test_request_that_no_journey_takes_up_is_noted() -> None:
    assert ask(person(), request(uid="22222222-2222-4222-8222-222222222222")).unheard == [2]
    deaf = called(filter={"fact": "orders_count", "op": "gt", "value": 5})
    assert ask(person(), request(), journeys=[deaf]).unheard == [2]
    assert route(person(), happened(1, "page_viewed")).unheard == []


def test_request_to_leave_ends_the_runs_of_that_journey_about_that_object() -> None:
    who = person(waiting(), waiting(enrolment=8))
    who.active[1].key = OTHER_CART
    routed = ask(who, request("journey_exit_requested", CART))
    assert [(end.enrolment_id, end.converts) for end in routed.finishes] == [(9, False)]
    rest = ask(who, request("journey_exit_requested"))
    assert [end.enrolment_id for end in rest.finishes] == [8]
    foreign = request("journey_exit_requested", uid="22222222-2222-4222-8222-222222222222")
    assert ask(person(waiting()), foreign).finishes == []


def test_request_to_leave_in_the_batch_of_the_request_to_enter_lets_nobody_in() -> None:
    routed = ask(
        person(), request("journey_requested", CART), request("journey_exit_requested", number=3)
    )
    assert (routed.begins, routed.finishes) == ([], [])
    assert [refusal.reason for refusal in routed.refusals] == ["already_done"]


# What a run that never began leaves behind.


def test_run_that_never_began_takes_no_other_journey_with_it_and_does_not_count() -> None:
    once = LiveJourney(1, 1, 11, 0, plan(reentry={"rule": "once"}))
    beside = journey(2, match=None)
    who = person()
    routed = route(
        who, happened(1, "cart_updated", CART), happened(2, "order_placed", "order:77", CART),
        happened(3, "cart_updated", OTHER_CART), journeys=[once, beside],
    )  # fmt: skip
    began = [(begin.journey.journey_id, begin.key) for begin in routed.begins]
    assert began == [(2, CART), (1, OTHER_CART), (2, OTHER_CART)]


def test_entries_of_one_batch_count_towards_at_most_so_many_in_a_window() -> None:
    rule = {"rule": "at_most", "times": 2, "per": {"amount": 1, "unit": "days"}}
    live = journey(reentry=rule, match=None)
    who = person(past={1: PastRuns(1, NOON, recent=(NOON - 5 * MINUTE,))})
    carts = [happened(number, "cart_updated", f"cart:{number}") for number in (1, 2, 3)]
    routed = route(who, *carts, journeys=[live])
    assert [begin.key for begin in routed.begins] == ["cart:1"]
    assert [one.reason for one in routed.refusals] == ["entered_too_often"] * 2


def test_goal_whose_filter_asks_for_a_segment_sees_who_is_in_it() -> None:
    nodes = [
        {"id": "in", "kind": "entry", "settings": {"event": "cart_updated"}},
        {"id": "out", "kind": "end"},
        {"id": "goal", "kind": "goal",
         "settings": {"event": "order_placed", "match": "any", "filter": {"segment": "vips"}}},
    ]  # fmt: skip
    own = compile_graph(
        Graph.from_json({"nodes": nodes, "edges": [{"source": "in", "target": "out"}]})
    )
    assert own.segments == {"vips"}

    def ends(*segments: str) -> int:
        run = ActiveRun(9, 1, CART, frozenset({CART}), own, happened(1, "cart_updated", CART))
        who = person(run, segments=frozenset(segments))
        return len(route(who, happened(2, "order_placed", "order:1")).finishes)

    assert (ends("vips"), ends("new"), ends()) == (1, 0, 0)


@pytest.mark.timeout(120)
def test_paying_one_order_never_ends_the_run_of_another() -> None:
    """G10: ten thousand people, each with two orders at once, in every order of events."""
    live = LiveJourney(1, 1, 11, 0, orders_until_paid())
    chance = random.Random(10)
    wrong = 0
    for number in range(10_000):
        mine, other = f"order:{number}", f"order:{number + 50_000}"
        who = person()
        events = [("order_placed", mine), ("order_placed", other)]
        events.insert(chance.randrange(3), ("page_viewed", ""))
        paid = chance.choice((mine, other))
        routed = Routed()
        for at, (name, ref) in enumerate([*events, ("order_paid", paid)]):
            happening = EventView(at + 1, name, {}, NOON + at * MINUTE, frozenset({ref} - {""}))
            route_event(
                who, happening, key=ref.partition(":")[2], depth=0, journeys=[live],
                moment=NOON, routed=routed,
            )  # fmt: skip
            if at == 2:  # both runs are saved before the payment comes
                for place, run in enumerate(who.active):
                    run.enrolment_id = place + 1
                begun = [run.key for run in who.active]
        ended = [run.key for run in who.active if run.ended]
        wrong += (sorted(begun), ended) != (sorted([mine, other]), [paid])
        wrong += len(routed.finishes) != 1
    print(f"\n10,000 people with two orders at once: {wrong} runs ended or begun wrongly")
    assert wrong == 0


def orders_until_paid() -> Plan:
    """Begins with an order, waits a month, and is left when this very order is paid."""
    nodes = [
        {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
        {"id": "wait", "kind": "wait", "settings": {"amount": 30, "unit": "days"}},
        {"id": "out", "kind": "end"},
        {"id": "paid", "kind": "goal", "settings": {"event": "order_paid"}},
    ]
    edges = [{"source": "in", "target": "wait"}, {"source": "wait", "target": "out"}]
    return compile_graph(Graph.from_json({"nodes": nodes, "edges": edges}))
