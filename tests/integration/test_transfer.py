"""What becomes of people in flight when a journey is published anew."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import enrolled, people
from tests.shop import journey, line, order, publish_on, template, topic
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import transfer
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.lifecycle import archive, pause, resume
from wagtail_triggers.engine.models import Enrolment, Job, StepRun, Transfer, TransferRule
from wagtail_triggers.engine.places import Place, behind, count, places, unsent_of_removed_steps
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.engine.transfer import Rule, apply_to, begin, carry_out
from wagtail_triggers.exceptions import InvalidTransfer
from wagtail_triggers.journeys.models import Journey, JourneyVersion
from wagtail_triggers.journeys.plan import compile_graph, plan_for
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
STAY, MOVE, SKIP, EXIT = "stay", "move", "skip", "exit"


@pytest.fixture
def plan(clock: FrozenClock, outbox: list[Outgoing]) -> Journey:
    """Six steps, three of which are waits of a day."""
    wait = {"kind": "wait", "amount": 1, "unit": "days"}
    return journey("Onboarding", [
        {"kind": "entry", "event": "order_placed"},
        wait, {"kind": "send", "template": template("First")},
        wait, {"kind": "send", "template": template("Second")},
        wait, {"kind": "send", "template": template("Third")},
    ])  # fmt: skip


def again(row: Journey, **settings: dict[str, Any]) -> JourneyVersion:
    """Publish it with other settings of some nodes; returns the new version."""
    graph = deepcopy(row.graph)
    for node in graph["nodes"]:
        node["settings"] = {**node["settings"], **settings.get(node["id"], {})}
    publish_on(row.site, row.name, graph, row=row)
    new: JourneyVersion | None = row.live_version
    assert new is not None
    return new


def without(row: Journey, gone: str) -> JourneyVersion:
    """Publish it without a node: what came before leads to what came behind."""
    graph = deepcopy(row.graph)
    (target,) = (edge["target"] for edge in graph["edges"] if edge["source"] == gone)
    graph["nodes"] = [node for node in graph["nodes"] if node["id"] != gone]
    graph["edges"] = [edge for edge in graph["edges"] if edge["source"] != gone]
    for edge in graph["edges"]:
        edge["target"] = target if edge["target"] == gone else edge["target"]
    publish_on(row.site, row.name, graph, row=row)
    new: JourneyVersion | None = row.live_version
    assert new is not None
    return new


def version(row: Journey, number: int = 1) -> JourneyVersion:
    found: JourneyVersion = row.versions.get(number=number)
    return found


def at(runs: list[Enrolment], node: str, **more: Any) -> None:
    """Let runs stand at `node`, asked and waiting for a day."""
    Enrolment.objects.filter(pk__in=[run.pk for run in runs]).update(
        node=node, waiting=True, **more
    )


def one(row: Journey, clock: FrozenClock, node: str = "n1") -> Enrolment:
    """One person who waits at `node` since now."""
    (run,) = enrolled(row, people(1), node)
    run_due()
    run.refresh_from_db()
    assert run.waiting
    return run


def test_counts_that_are_shown_are_what_happens_to_a_thousand_people_at_six_steps(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 130)
    runs = enrolled(plan, people(1000))
    sizes = {"n1": 100, "n2": 150, "n3": 200, "n4": 250, "n5": 175, "n6": 125}
    begun = 0
    for node, size in sizes.items():
        at(runs[begun : begun + size], node, wake_at=clock.read() + DAY)
        begun += size
    old = version(plan)
    new = again(plan, n5={"amount": 3})
    policies = {"n1": STAY, "n2": MOVE, "n3": SKIP, "n4": EXIT, "n5": MOVE, "n6": SKIP}
    rules = [
        Rule(old.pk, node, policy, {"n2": "n2", "n3": "n4", "n5": "n5", "n6": "n7"}.get(node, ""))
        for node, policy in policies.items()
    ]
    assert places(plan) == [Place(old.pk, 1, node, size, 0) for node, size in sizes.items()]
    shown = count(plan, rules)
    assert shown == {(old.pk, node): size for node, size in sizes.items()}

    made = begin(plan, new, rules)
    assert carry_out(made) == 1000 - sizes["n1"]

    stood = Counter(Enrolment.objects.values_list("version__number", "node", "state"))
    assert stood == {
        (1, "n1", "active"): 100,
        (2, "n2", "active"): 150,
        (2, "n4", "active"): 200,
        (1, "n4", "exited"): 250,
        (2, "n5", "active"): 175,
        (2, "n7", "active"): 125,
    }
    done = {rule.node: (rule.counted, rule.done) for rule in made.rules.all()}
    assert done == {node: (size, 0 if node == "n1" else size) for node, size in sizes.items()}
    made.refresh_from_db()
    assert made.done_at == clock.read()
    assert carry_out(made) == 0  # a second time changes nothing
    assert Counter(Enrolment.objects.values_list("version__number", "node", "state")) == stood
    left = Enrolment.objects.filter(state="exited")
    assert set(left.values_list("reason", "active_slot", "wake_at", "ended_at")) == {
        ("Taken out of the journey by an editor.", None, None, clock.read())
    }
    assert StepRun.objects.filter(decision="transfer").count() == 650


def test_moved_run_counts_a_changed_wait_from_when_it_came_there(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    came = run.arrived_at
    clock.travel(timedelta(hours=20))
    new = again(plan, n1={"amount": 2})
    carry_out(begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1")]))
    run_until_idle()
    run.refresh_from_db()
    assert (run.version_id, run.node, run.arrived_at) == (new.pk, "n1", came)
    assert run.wake_at == came + 2 * DAY
    told = [(s.decision, s.node, s.version_id, s.seq) for s in run.steps.order_by("seq")]
    assert told == [
        ("wait", "n1", version(plan).pk, 1),
        ("transfer", "n1", new.pk, 2),
        ("wait", "n1", new.pk, 3),
    ]


def test_moved_run_waits_anew_where_that_was_chosen(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    clock.travel(timedelta(hours=20))
    new = again(plan, n1={"amount": 2})
    carry_out(begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1", "restart")]))
    run_until_idle()
    run.refresh_from_db()
    assert (run.arrived_at, run.wake_at) == (clock.read(), clock.read() + 2 * DAY)


def test_moved_run_goes_on_at_once_where_the_shorter_wait_is_over(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    clock.travel(timedelta(hours=20))
    new = again(plan, n1={"amount": 10, "unit": "hours"})
    carry_out(begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1")]))
    run_until_idle()
    assert [letter.subject for letter in outbox] == ["First"]


def test_run_at_a_step_that_has_not_changed_goes_on_as_it_stands(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    job = Job.objects.create(
        site=plan.site, contact_id=run.contact_id, enrolment=run, seq=run.seq, node="n1",
        kind="any", created_at=clock.read(),
    )  # fmt: skip
    new = again(plan, n3={"amount": 9})
    carry_out(begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1")]))
    before = (run.arrived_at, run.wake_at)
    run.refresh_from_db()
    job.refresh_from_db()
    assert (run.version_id, run.waiting) == (new.pk, True)
    assert (run.arrived_at, run.wake_at) == before
    assert (job.state, job.seq) == ("planned", run.seq)  # its answer still counts


def test_job_of_a_step_that_has_changed_is_cancelled(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    Job.objects.create(
        site=plan.site, contact_id=run.contact_id, enrolment=run, seq=run.seq, node="n1",
        kind="any", created_at=clock.read(),
    )  # fmt: skip
    new = again(plan, n1={"amount": 9})
    carry_out(begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1")]))
    assert Job.objects.get().state == "cancelled"


def test_runner_transfers_whom_it_claims_before_it_asks_a_step(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    new = again(plan, n2={"template": template("Corrected")})
    clock.travel(DAY)
    begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1")])  # nobody has carried it out yet
    assert run_due() == 1
    run.refresh_from_db()
    assert (run.version_id, run.node) == (new.pk, "n1")
    run_until_idle()
    assert [letter.subject for letter in outbox] == ["Corrected"]
    rule = TransferRule.objects.get()
    assert (rule.counted, rule.done) == (1, 1)


def test_transfer_whose_process_died_is_finished_by_the_reaper(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 10)
    at(enrolled(plan, people(35)), "n1", wake_at=clock.read() + DAY)
    old, new = version(plan), again(plan, n1={"amount": 2})
    made = begin(plan, new, [Rule(old.pk, "n1", MOVE, "n1")])
    assert carry_out(made, seconds=0) == 10
    reap()
    assert Enrolment.objects.filter(version=new).count() == 35
    made.refresh_from_db()
    assert made.done_at is not None
    assert made.rules.get().done == 35


def test_people_who_move_on_between_counting_and_acting_are_treated_where_they_are(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    runs = enrolled(plan, people(4))
    at(runs, "n1", wake_at=clock.read() + DAY)
    old, new = version(plan), again(plan, n1={"amount": 2})
    rules = [Rule(old.pk, "n1", EXIT), Rule(old.pk, "n3", MOVE, "n3")]
    assert count(plan, rules) == {(old.pk, "n1"): 4, (old.pk, "n3"): 0}
    at(runs[:1], "n3", wake_at=clock.read() + DAY)
    made = begin(plan, new, rules)
    assert dict(made.rules.values_list("node", "counted")) == {"n1": 3, "n3": 1}
    carry_out(made)
    assert Counter(Enrolment.objects.values_list("state", "version")) == {
        ("exited", old.pk): 3,
        ("active", new.pk): 1,
    }


def test_parked_run_that_is_moved_tries_the_mended_step(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    (run,) = enrolled(plan, people(1), "n2")
    Enrolment.objects.update(state="parked", wake_at=None, reason="broken", tries=3)
    old, new = version(plan), again(plan, n2={"template": template("Mended")})
    assert places(plan) == [Place(old.pk, 1, "n2", 1, 1)]
    carry_out(begin(plan, new, [Rule(old.pk, "n2", MOVE, "n2")]))
    run_until_idle()
    run.refresh_from_db()
    assert [letter.subject for letter in outbox] == ["Mended"]
    assert (run.state, run.reason, run.tries) == ("active", "", 0)


def test_held_run_is_moved_and_stays_held(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    pause(plan)
    clock.travel(timedelta(hours=6))
    new = again(plan, n1={"amount": 2, "unit": "hours"})
    carry_out(begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1")]))
    run.refresh_from_db()
    assert (run.version_id, run.wake_at, run.held_wake_at) == (new.pk, None, clock.read())
    run_until_idle()
    assert outbox == []
    resume(plan)
    run_until_idle()
    assert [letter.subject for letter in outbox] == ["First"]


@pytest.mark.parametrize("cancels", [True, False])
def test_unsent_letters_of_removed_steps_are_taken_back_or_sent_as_was_chosen(
    clock: FrozenClock, outbox: list[Outgoing], cancels: bool
) -> None:
    soft = topic("soft", consent="soft")
    news = template("Old news", kind=MessageClass.MARKETING, topic=soft)
    row = journey("News", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": news},
        {"kind": "wait", "amount": 1, "unit": "days"},
    ])  # fmt: skip
    order("1", line())
    from wagtail_triggers.engine.router import route_batch

    route_batch()
    run_due()
    old, new = version(row), without(row, "n1")
    assert unsent_of_removed_steps(row, new, plan_for(new.pk, new.graph)) == 1
    carry_out(begin(row, new, [Rule(old.pk, "n2", MOVE, "n2")], cancels_unsent=cancels))
    run_until_idle()
    message = Message.objects.get()
    assert message.journey_version_id == old.pk
    assert message.state == ("cancelled" if cancels else "accepted")
    assert len(outbox) == (0 if cancels else 1)


def test_letters_and_steps_name_the_version_that_they_came_from(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    clock.travel(DAY)
    run_until_idle()
    new = again(plan, n4={"template": template("Other second")})
    carry_out(begin(plan, new, [Rule(run.version_id, "n3", MOVE, "n3")]))
    clock.travel(DAY)
    run_until_idle()
    sent = Message.objects.order_by("pk").values_list("journey_version__number", "subject")
    assert list(sent) == [(1, "First"), (2, "Other second")]
    kept = run.steps.order_by("seq").values_list("version__number", "node", "decision")
    assert list(kept) == [
        (1, "n1", "wait"), (1, "n1", "advance"), (1, "n2", "send"), (1, "n3", "wait"),
        (2, "n3", "transfer"),
        (2, "n3", "advance"), (2, "n4", "send"), (2, "n5", "wait"),
    ]  # fmt: skip


def test_revision_before_that_is_published_again_restores_what_it_did(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    before = plan.latest_revision
    assert before is not None
    again(plan, n2={"template": template("Mistake")})
    order("1", line())
    run_until_idle()
    restored = before.as_object()
    restored.save_revision(previous_revision=before).publish()
    plan.refresh_from_db()
    assert plan.live_version is not None
    assert plan.live_version.number == 3
    assert plan.live_version.digest == version(plan, 1).digest
    run = Enrolment.objects.get()
    carry_out(begin(plan, plan.live_version, [Rule(run.version_id, "n1", MOVE, "n1")]))
    clock.travel(DAY)
    run_until_idle()
    assert [letter.subject for letter in outbox] == ["First"]


def test_rule_that_leads_nowhere_is_refused_and_nobody_moves(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    one(plan, clock)
    old, new = version(plan), without(plan, "n1")
    for rule in (Rule(old.pk, "n1", MOVE, "n1"), Rule(old.pk, "n1", SKIP, ""),
                 Rule(old.pk, "n1", MOVE, "n0"), Rule(new.pk, "n3", EXIT)):  # fmt: skip
        with pytest.raises(InvalidTransfer):
            begin(plan, new, [rule])
    assert not Transfer.objects.exists()


def test_decision_about_a_version_that_was_replaced_meanwhile_is_refused(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    one(plan, clock)
    old, new = version(plan), again(plan, n1={"amount": 2})
    again(plan, n1={"amount": 3})
    with pytest.raises(InvalidTransfer, match="published meanwhile"):
        begin(plan, new, [Rule(old.pk, "n1", EXIT)])


def test_later_decision_takes_the_place_of_one_under_way(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    new = again(plan, n1={"amount": 2})
    first = begin(plan, new, [Rule(run.version_id, "n1", EXIT)])
    second = begin(plan, new, [Rule(run.version_id, "n1", MOVE, "n1")])
    first.refresh_from_db()
    assert first.done_at is not None
    reap()
    run.refresh_from_db()
    assert (run.state, run.version_id) == ("active", new.pk)
    assert second.rules.get().done == 1
    assert first.rules.get().done == 0


def test_archived_journey_takes_nobody_in_and_lets_those_inside_finish(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    one(plan, clock)
    archive(plan, let_finish=True)
    order("9", line())
    for _day in range(4):
        clock.travel(DAY)
        run_until_idle()
    assert Enrolment.objects.get().state == "completed"
    assert [letter.subject for letter in outbox] == ["First", "Second", "Third"]


def test_archived_journey_lets_everybody_out_where_that_was_chosen(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = one(plan, clock)
    pause(plan)
    assert archive(plan, let_finish=False) == 1
    run.refresh_from_db()
    assert (run.state, run.held_wake_at, run.wake_at) == ("exited", None, None)
    clock.travel(4 * DAY)
    run_until_idle()
    assert outbox == []


def test_skipping_leads_behind_the_step_also_where_it_is_gone() -> None:
    def line_of(*nodes: str) -> dict[str, Any]:
        kinds = {"start": ("entry", {"event": "order_placed"}), "end": ("end", {})}
        wait = ("wait", {"amount": 1, "unit": "days"})
        found = [(node, *kinds.get(node, wait)) for node in nodes]
        return {
            "nodes": [{"id": i, "kind": kind, "settings": settings} for i, kind, settings in found],
            "edges": [{"source": a, "port": "next", "target": b} for a, b in pairwise(nodes)],
        }

    def compiled(*nodes: str) -> Any:
        from wagtail_triggers.journeys.graph import Graph

        return compile_graph(Graph.from_json(line_of(*nodes)))

    before = compiled("start", "a", "b", "c", "end")
    after = compiled("start", "a", "x", "end")
    assert behind("a", before, after) == "x"
    assert behind("b", before, after) == "end"
    assert behind("end", before, after) == ""
    assert behind("gone", None, after) == ""


def test_queries_of_a_chunk_do_not_grow_with_the_people_in_it(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    runs = enrolled(plan, people(45))
    at(runs, "n1", wake_at=clock.read() + DAY)
    at(runs[40:], "n3", wake_at=clock.read() + DAY)
    old, new = version(plan), again(plan, n1={"amount": 2}, n3={"amount": 2})
    begin(plan, new, [Rule(old.pk, "n1", MOVE, "n1"), Rule(old.pk, "n3", MOVE, "n3")])

    def cost(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as queries:
            apply_to(ids)
        return len(queries)

    few = cost([run.pk for run in runs[40:]])
    many = cost([run.pk for run in runs[:40]])
    assert many <= few + (0 if connection.vendor == "postgresql" else 2)
    assert Enrolment.objects.filter(version=new).count() == 45
