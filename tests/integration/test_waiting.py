"""Runs that wait for something: between router and runner, on the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.shop import ADA, journey, line, order, publish, template
from wagtail_triggers.api import Who, track
from wagtail_triggers.core import clock as clocks
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.lifecycle import pause, resume
from wagtail_triggers.engine.models import Conversion, Enrolment, Refusal
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.journeys.steps.base import Run
from wagtail_triggers.journeys.steps.decisions import Decision
from wagtail_triggers.journeys.steps.wait_for import WaitForStep
from wagtail_triggers.segments.membership import provide_segments
from wagtail_triggers.testing import run_until_idle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENTRY = {"kind": "entry", "event": "order_placed"}
CALLED = {"kind": "entry_called"}


def waits(*, settings: Mapping[str, Any], name: str = "Waits") -> Journey:
    """An order, a wait for something, then one of two ends: "in time" or "too late"."""
    nodes: list[dict[str, Any]] = [
        {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
        {"id": "w", "kind": "wait_for", "settings": dict(settings)},
        {"id": "yes", "kind": "exit", "settings": {"reason": "in time"}},
    ]
    edges = [{"source": "in", "target": "w"}, {"source": "w", "target": "yes"}]
    if "timeout" in settings:
        nodes.append({"id": "no", "kind": "exit", "settings": {"reason": "too late"}})
        edges.append({"source": "w", "port": "timeout", "target": "no"})
    return publish(name, {"nodes": nodes, "edges": edges})


REVIEW = {"event": "review_posted", "match": "any", "timeout": {"amount": 3, "unit": "days"}}


def review(**more: Any) -> bool:
    """Ada posts a review."""
    return track("review_posted", contact=ADA, payload={"rating": 5}, **more)


def reason() -> str:
    """Why the one run ended; "" while it goes on."""
    return Enrolment.objects.get().reason


def test_run_that_waits_goes_on_as_soon_as_it_happens(clock: FrozenClock) -> None:
    waits(settings=REVIEW)
    order("1", line())
    run_until_idle()
    run = Enrolment.objects.get()
    assert (run.waiting, run.wake_at) == (True, clocks.now() + 3 * DAY)
    clock.travel(5 * HOUR)
    review()
    run_until_idle()
    assert reason() == "in time"
    told = [(step.decision, step.port) for step in run.steps.order_by("seq")]
    assert told == [("wait_for", ""), ("advance", "next"), ("exit", "")]


def test_run_that_waits_in_vain_takes_the_time_out_path_on_time(clock: FrozenClock) -> None:
    waits(settings=REVIEW)
    order("1", line())
    run_until_idle()
    clock.travel(3 * DAY - timedelta(seconds=1))
    run_until_idle()
    assert reason() == ""
    clock.travel(timedelta(seconds=1))
    run_until_idle()
    assert reason() == "too late"


def test_event_that_was_routed_before_the_run_got_there_is_found(clock: FrozenClock) -> None:
    """The event came between the order and the step: nothing will wake the run for it."""
    waits(settings=REVIEW)
    order("1", line())
    route_batch()
    clock.travel(HOUR)
    review()
    route_batch()
    assert not Event.objects.filter(routed_at=None).exists()
    assert Enrolment.objects.get().waiting is False
    run_due()
    assert reason() == "in time"


def test_event_that_no_router_has_seen_is_found_before_the_time_out_path(
    clock: FrozenClock,
) -> None:
    waits(settings=REVIEW)
    order("1", line())
    run_until_idle()
    clock.travel(3 * DAY)
    Event.objects.create(
        site_id=Enrolment.objects.get().site_id, name="review_posted", source="shop",
        dedupe_key="r", contact_id=Enrolment.objects.get().contact_id, resolved=True, who={},
        payload={}, occurred_at=clocks.now() - HOUR, recorded_at=clocks.now(),
    )  # fmt: skip
    run_due()
    assert reason() == "in time"


def test_event_that_is_the_wrong_one_leaves_the_run_where_it_is_and_writes_nothing(
    clock: FrozenClock,
) -> None:
    dear = {"event": "rating", "op": "gte", "value": 5}
    waits(settings={**REVIEW, "filter": dear})
    order("1", line())
    run_until_idle()
    before = Enrolment.objects.values("node", "seq", "wake_at", "arrived_at").get()
    clock.travel(HOUR)
    track("review_posted", contact=ADA, payload={"rating": 1})
    route_batch()
    assert Enrolment.objects.get().wake_at == clocks.now()
    assert run_due() == 1
    assert Enrolment.objects.values("node", "seq", "wake_at", "arrived_at").get() == before
    review()
    run_until_idle()
    assert reason() == "in time"


def test_event_that_nobody_waits_for_wakes_nobody(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Run] = []
    decide = WaitForStep.decide

    def noted(step: WaitForStep, run: Run) -> Decision:
        asked.append(run)
        return decide(step, run)

    monkeypatch.setattr(WaitForStep, "decide", noted)
    waits(settings=REVIEW)
    order("1", line())
    run_until_idle()
    for page in range(5):
        clock.travel(HOUR)
        track("page_viewed", contact=ADA, payload={"url": f"/{page}"})
        run_until_idle()
    assert len(asked) == 1


def test_condition_that_becomes_true_by_any_event_lets_the_run_go_on(clock: FrozenClock) -> None:
    known = {"condition": {"fact": "birthday", "op": "is_set"}}
    waits(settings=known)
    order("1", line())
    run_until_idle()
    assert Enrolment.objects.get().wake_at is None
    clock.travel(DAY)
    born = {"user_id": 1, "birthday": date(1815, 12, 10)}
    track("page_viewed", contact=born, payload={"url": "/"})
    run_until_idle()
    assert reason() == "in time"


def test_wait_in_a_paused_journey_is_over_when_the_journey_goes_on(clock: FrozenClock) -> None:
    plan = waits(settings=REVIEW)
    order("1", line())
    run_until_idle()
    pause(plan)
    clock.travel(HOUR)
    review()
    run_until_idle()
    assert reason() == ""
    plan.refresh_from_db()
    resume(plan)
    run_until_idle()
    assert reason() == "in time"


def test_birthday_that_becomes_known_moves_the_wait(clock: FrozenClock) -> None:
    publish("Birthday", {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "w", "kind": "wait_date", "settings": {"fact": "birthday", "yearly": True}},
            {"id": "end", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "target": "w"},
            {"source": "w", "target": "end"},
            {"source": "w", "port": "missing", "target": "end"},
        ],
    })  # fmt: skip
    order("1", line(), who=Who(user_id=1, birthday=date(1990, 12, 24), time_zone="Asia/Kathmandu"))
    run_until_idle()
    at = datetime.fromisoformat
    assert Enrolment.objects.get().wake_at == at("2026-12-24T09:00+05:45")
    clock.travel(HOUR)
    track("page_viewed", payload={"url": "/"},
          contact=Who(user_id=1, birthday=date(1990, 6, 1), time_zone="Europe/Berlin"))  # fmt: skip
    run_until_idle()
    assert Enrolment.objects.get().wake_at == at("2026-06-01T09:00+02:00")


# Circles.


def test_runs_that_wake_each_other_for_ever_are_cut_after_a_chain_of_eight(
    clock: FrozenClock,
) -> None:
    """A answers every B with an A, B every A with a B; each waits anew after its answer."""
    for mine, other in (("cart_updated", "wishlist_updated"), ("wishlist_updated", "cart_updated")):
        payload = {"cart_id": "9"} if mine == "cart_updated" else {}
        publish(mine, {
            "nodes": [
                {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
                *({"id": f"w{n}", "kind": "wait_for",
                   "settings": {"event": other, "match": "any", "since": "now"}}
                  for n in range(30)),
                *({"id": f"e{n}", "kind": "emit", "settings": {"event": mine, "payload": payload}}
                  for n in range(30)),
                {"id": "end", "kind": "end"},
            ],
            "edges": [
                {"source": "in", "target": "w0"},
                *({"source": f"w{n}", "target": f"e{n}"} for n in range(30)),
                *({"source": f"e{n}", "target": f"w{n + 1}"} for n in range(29)),
                {"source": "e29", "target": "end"},
            ],
        })  # fmt: skip
    order("1", line())
    run_until_idle()
    clock.travel(HOUR)
    track("wishlist_updated", contact=ADA)
    for _round in range(25):
        route_batch()
        run_due()
        clock.travel(timedelta(seconds=1))
    made = Event.objects.filter(source="journey")
    assert sorted(made.values_list("depth", flat=True)) == list(range(1, 10))
    assert [one.reason for one in Refusal.objects.all()] == ["chain_too_long"]
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"active"}


def test_run_that_changes_the_person_again_and_again_grows_no_deeper(clock: FrozenClock) -> None:
    """Its own changes are no chain of journeys: after weeks its events still start others."""
    rounds = []
    for _week in range(12):
        rounds += [
            {"kind": "update", "score": 1},
            {"kind": "wait", "amount": 1, "unit": "days"},
        ]
    journey("Weekly", [ENTRY, *rounds, {"kind": "emit", "event": "review_posted"}])
    journey("Hears", [{"kind": "entry", "event": "review_posted"}])
    order("1", line())
    for _day in range(13):
        run_until_idle()
        clock.travel(DAY)
    assert Enrolment.objects.get(journey__name="Hears").depth == 1
    assert Enrolment.objects.get(journey__name="Weekly").depth == 0


# Goals and exits inside a wait of a month.


def month(name: str = "Month", **goal: Any) -> Journey:
    """A wait of 30 days, left by paying for the same order."""
    goals = [{"event": "order_paid", "match": "same_object", **goal}]
    return journey(name, [ENTRY, {"kind": "wait", "amount": 30, "unit": "days"}], goals=goals)


def paid(number: str) -> None:
    """An order is paid."""
    total = {"amount": "42.00", "currency": "EUR"}
    track("order_paid", contact=ADA, key=number, payload={"order_id": number, "total": total})


def test_goal_ends_a_run_in_the_middle_of_a_month_at_once_and_is_kept_as_a_conversion(
    clock: FrozenClock,
) -> None:
    month()
    order("1", line())
    order("2", line())
    run_until_idle()
    clock.travel(13 * DAY)
    paid("2")
    run_until_idle()
    first, second = Enrolment.objects.order_by("key")
    assert (first.state, second.state) == ("active", "converted")
    assert second.ended_at == clocks.now()  # the clock has not moved since: within 0 s
    conversion = Conversion.objects.get()
    assert (conversion.enrolment_id, str(conversion.amount), conversion.currency) == (
        second.pk, "42.00", "EUR",
    )  # fmt: skip
    assert conversion.event_id == Event.objects.get(name="order_paid").pk
    clock.travel(17 * DAY)
    run_until_idle()
    first.refresh_from_db()
    assert first.state == "completed"
    assert Conversion.objects.count() == 1


def test_exit_ends_a_run_in_the_middle_of_a_month_without_a_conversion(clock: FrozenClock) -> None:
    month(converts=False)
    order("1", line())
    run_until_idle()
    clock.travel(13 * DAY)
    paid("1")
    run_until_idle()
    assert Enrolment.objects.get().state == "exited"
    assert not Conversion.objects.exists()


# What became of messages, and segments.


def test_branch_on_a_click_asks_this_runs_own_message_and_no_machine(clock: FrozenClock) -> None:
    letter = template("Hello")
    plan = publish("Asks", {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "mail", "kind": "send", "settings": {"template": letter}},
            {"id": "w", "kind": "wait_for", "settings": {
                "condition": {"message": "mail", "was": "clicked"},
                "timeout": {"amount": 2, "unit": "days"}}},
            {"id": "yes", "kind": "exit", "settings": {"reason": "clicked"}},
            {"id": "no", "kind": "exit", "settings": {"reason": "did not"}},
        ],
        "edges": [
            {"source": "in", "target": "mail"},
            {"source": "mail", "target": "w"},
            {"source": "w", "target": "yes"},
            {"source": "w", "port": "timeout", "target": "no"},
        ],
    })  # fmt: skip
    order("1", line())
    order("2", line())
    run_until_idle()
    first, second = Enrolment.objects.filter(journey=plan).order_by("key")

    def clicked(run: int, **more: Any) -> None:
        payload = {"message_id": "m", "run": run, "node": "mail", **more}
        track("message_clicked", contact=ADA, payload=payload)
        run_until_idle()
        first.refresh_from_db()
        second.refresh_from_db()

    clock.travel(HOUR)
    clicked(first.pk, machine=True)
    clicked(first.pk, node="other")
    assert (first.state, second.state) == ("active", "active")
    clicked(second.pk)
    assert (first.state, second.reason) == ("active", "clicked")
    clock.travel(2 * DAY)
    run_until_idle()
    first.refresh_from_db()
    assert first.reason == "did not"


class Keeper:
    """Keeps one segment."""

    def __init__(self) -> None:
        self.members: set[int] = set()
        self.asked: list[frozenset[str]] = []

    def labels(self) -> Mapping[str, str]:
        return {"vips": "VIPs"}

    def memberships(
        self, contact_ids: Collection[int], segments: Collection[str], moment: datetime
    ) -> Mapping[int, frozenset[str]]:
        self.asked.append(frozenset(segments))
        return {pk: frozenset({"vips"} & {*segments}) for pk in self.members & {*contact_ids}}


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    one = Keeper()
    provide_segments(one)
    yield one
    provide_segments(None)


def test_segment_is_asked_of_whoever_keeps_them_in_entries_branches_and_waits(
    keeper: Keeper,
) -> None:
    vips = {"segment": "vips"}
    waits(settings={"condition": vips}, name="Waits")
    journey("For VIPs", [{**ENTRY, "filter": vips}])
    order("1", line())
    run_until_idle()
    assert [run.journey.name for run in Enrolment.objects.all()] == ["Waits"]
    assert Enrolment.objects.get().state == "active"
    keeper.members.add(Enrolment.objects.get().contact_id)
    order("2", line())
    run_until_idle()
    states = set(Enrolment.objects.values_list("journey__name", "state"))
    assert states == {("Waits", "exited"), ("For VIPs", "completed")}
    assert keeper.asked
    assert set(keeper.asked) == {frozenset({"vips"})}


def test_segment_is_not_asked_about_where_no_journey_does(keeper: Keeper) -> None:
    journey("Plain", [ENTRY])
    order("1", line())
    run_until_idle()
    assert keeper.asked == []
