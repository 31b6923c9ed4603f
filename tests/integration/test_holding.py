"""Clocks in a pause, the ramp behind it, the switch of a site, and who is not starved by it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from tests.concurrency.people import enrolled, letter, people, planned, site
from tests.shop import journey, line, order, template, topic
from wagtail_triggers.api import Who
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import holding
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.lifecycle import pause, resume, take_up
from wagtail_triggers.engine.models import Enrolment, Job, Switch
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.exceptions import SwitchedOff
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass, TriggersSettings
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def plan(clock: FrozenClock, outbox: list[Outgoing]) -> Journey:
    """Ten hours of waiting, then a letter that is worth reading for three days."""
    soft = topic("soft", consent="soft")
    news = template("Later", kind=MessageClass.MARKETING, topic=soft)
    return journey("Later", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 10, "unit": "hours"},
        {"kind": "send", "template": news},
    ])  # fmt: skip


def buy(number: int = 1) -> Enrolment:
    """Somebody's order, and their run."""
    order(str(number), line(), who=Who(user_id=number, email=f"p{number}@example.com"))
    run_until_idle()
    return Enrolment.objects.get(key=f"order:{number}")


def off() -> None:
    """Throw the site's switch."""
    TriggersSettings.objects.update_or_create(site=site(), defaults={"sending_on": False})


def on() -> None:
    """Throw it back."""
    TriggersSettings.objects.update(sending_on=True)


def test_clocks_that_stood_still_leave_the_rest_of_the_wait(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = buy()
    clock.travel(4 * HOUR)
    pause(plan)
    clock.travel(20 * HOUR)
    assert resume(plan, clocks="stand") == 1
    run.refresh_from_db()
    assert (run.wake_at, run.stood_still) == (clock.read() + 6 * HOUR, 20 * HOUR)
    Enrolment.objects.update(wake_at=clock.read())  # woken for nothing: it still waits
    run_until_idle()
    run.refresh_from_db()
    assert run.wake_at == clock.read() + 6 * HOUR
    clock.travel(6 * HOUR - timedelta(seconds=1))
    run_until_idle()
    assert outbox == []
    clock.travel(timedelta(seconds=1))
    run_until_idle()
    assert len(outbox) == 1
    run.refresh_from_db()
    assert run.stood_still == timedelta(0)  # the next step begins afresh


def test_clocks_that_kept_running_make_due_what_fell_due_meanwhile(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = buy()
    due = run.wake_at
    clock.travel(4 * HOUR)
    pause(plan)
    clock.travel(20 * HOUR)
    resume(plan, clocks="run")
    run.refresh_from_db()
    assert (run.wake_at, run.due_since) == (clock.read(), due)
    run_until_idle()
    assert len(outbox) == 1


def test_letter_whose_time_passed_during_the_pause_expires_instead_of_leaving(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    run = buy()
    due = run.wake_at
    assert due is not None
    pause(plan)
    clock.travel(timedelta(days=5))
    resume(plan)
    run_until_idle()
    message = Message.objects.get()
    assert message.expires_at == due + timedelta(days=3)
    assert (message.state, outbox) == ("expired", [])


def test_resumption_lets_overdue_runs_go_in_a_ramp(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch,
    settings: object,
) -> None:  # fmt: skip
    settings.WAGTAIL_TRIGGERS_RESUME_PER_MINUTE = 10  # type: ignore[attr-defined]
    monkeypatch.setattr(holding, "CHUNK", 4)
    enrolled(plan, people(25), "n2")
    pause(plan)
    clock.travel(HOUR)
    assert resume(plan) == 25
    waves = Counter(Enrolment.objects.values_list("wake_at", flat=True))
    begun, minute = clock.read(), timedelta(minutes=1)
    assert waves == {begun: 10, begun + minute: 10, begun + 2 * minute: 5}
    sent = []
    for _minute in range(3):
        run_until_idle()
        sent.append(len(outbox))
        clock.travel(minute)
    assert sent == [10, 20, 25]


def test_ramp_goes_on_where_the_process_died(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch,
    settings: object,
) -> None:  # fmt: skip
    settings.WAGTAIL_TRIGGERS_RESUME_PER_MINUTE = 10  # type: ignore[attr-defined]
    monkeypatch.setattr(holding, "CHUNK", 5)
    enrolled(plan, people(25), "n2")
    pause(plan)
    assert resume(plan, seconds=0) == 5
    assert Enrolment.objects.filter(wake_at=None).count() == 20
    reap()
    waves = Counter(Enrolment.objects.values_list("wake_at", flat=True))
    begun, minute = clock.read(), timedelta(minutes=1)
    assert waves == {begun: 10, begun + minute: 10, begun + 2 * minute: 5}


def test_pause_whose_process_died_is_finished_by_the_reaper(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "CHUNK", 5)
    enrolled(plan, people(12))
    assert pause(plan, seconds=0) == 5
    reap()
    assert not Enrolment.objects.exclude(wake_at=None).exists()
    assert Switch.objects.get().done_at is not None


def test_event_that_happens_during_a_pause_wakes_its_run_afterwards(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    row = journey("Waiting", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait_for", "event": "cart_updated", "match": "any", "since": "now"},
        {"kind": "send", "template": template("Seen")},
    ])  # fmt: skip
    from tests.shop import cart

    buy()
    pause(row)
    clock.travel(HOUR)
    cart("1", line(), who=Who(user_id=1, email="p1@example.com"))
    run_until_idle()
    run = Enrolment.objects.get()
    assert (run.wake_at, run.held_wake_at, run.due_since) == (None, clock.read(), clock.read())
    assert outbox == []
    clock.travel(HOUR)
    resume(row, clocks="stand")
    run_until_idle()
    assert [one.subject for one in outbox] == ["Seen"]


def test_site_that_is_switched_off_holds_runs_letters_and_jobs_and_lets_them_go(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    (standing,) = enrolled(plan, people(1, "a"), "n2")
    (message,) = planned(letter("Now"), people(1, "b"))
    job = Job.objects.create(
        site=site(), contact_id=standing.contact_id, enrolment=standing, seq=9, node="n1",
        kind="nothing", due_at=clock.read() + HOUR, created_at=clock.read(),
    )  # fmt: skip
    off()
    run_until_idle()
    assert outbox == []
    for row in (standing, message, job):
        row.refresh_from_db()
    assert (standing.state, standing.node, standing.wake_at) == ("active", "n2", None)
    assert (message.state, message.due_at) == ("planned", None)
    assert (job.state, job.due_at, job.held_due_at) == ("planned", None, clock.read() + HOUR)
    clock.travel(HOUR / 2)
    on()
    run_until_idle()
    assert len(outbox) == 2
    job.refresh_from_db()
    assert (job.due_at, job.held_due_at) == (clock.read() + HOUR / 2, None)


def test_journey_of_a_site_that_is_off_is_not_resumed_and_says_why(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    buy()
    pause(plan)
    off()
    with pytest.raises(SwitchedOff, match="Switch it on under Settings"):
        resume(plan)
    plan.refresh_from_db()
    assert plan.state == Journey.State.PAUSED


def test_site_that_is_switched_on_leaves_a_paused_journey_alone(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    buy()
    pause(plan)
    off()
    reap()
    on()
    clock.travel(20 * HOUR)
    run_until_idle()
    assert outbox == []
    resume(plan)
    run_until_idle()
    assert len(outbox) == 1


def test_rows_put_aside_at_the_moment_of_a_resumption_are_found_by_the_reaper(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    buy()
    pause(plan)
    resume(plan)
    clock.travel(11 * HOUR)
    reap()
    assert not Switch.objects.filter(done_at=None).exists()
    # A worker read "paused", and commits only now.
    Enrolment.objects.update(wake_at=None, held_wake_at=clock.read())
    run_until_idle()
    assert len(outbox) == 1


def test_held_run_that_ends_by_a_merge_is_nobody_s_to_let_go(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    from wagtail_triggers.contacts.merge import merge

    loser, winner = people(2)
    enrolled(plan, [loser, winner])
    Enrolment.objects.update(key="order:1")
    pause(plan)
    assert merge(loser.pk, winner.pk, moment=clock.read())
    ended = Enrolment.objects.get(state="exited")
    assert (ended.reason, ended.held_wake_at) == ("merged", None)
    resume(plan)
    clock.travel(timedelta(minutes=3))
    reap()
    assert Switch.objects.count() == 2  # nothing is let go again and again
    assert not Switch.objects.filter(done_at=None).exists()


def test_archived_journey_can_be_taken_up_again(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    from wagtail_triggers.engine.lifecycle import archive

    archive(plan, let_finish=True)
    order("7", line())
    run_until_idle()
    assert not Enrolment.objects.exists()
    take_up(plan)
    assert buy(8).journey == plan


def test_held_rows_of_one_journey_do_not_keep_others_waiting(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    crowd = people(1500, "c")
    enrolled(plan, crowd, "n2")
    news = letter("Old", marketing=True)
    runs = Enrolment.objects.order_by("pk").values_list("pk", flat=True)
    waiting = planned(news, crowd)
    for message, run in zip(waiting, runs, strict=True):
        message.enrolment_id, message.journey_version = run, plan.live_version
    Message.objects.bulk_update(waiting, ["enrolment", "journey_version"])
    pause(plan)
    healthy = journey("Healthy", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Thanks")},
    ])  # fmt: skip
    enrolled(healthy, people(3, "h"))
    assert run_due() == 3  # the first batch reaches them: nothing that is held is in front
    assert send_batch(MessageClass.TRANSACTIONAL) == 3
    assert send_batch(MessageClass.MARKETING) == 0
    assert len(outbox) == 3


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="It reads PostgreSQL's plans.")
def test_queues_are_found_by_an_index_that_does_not_hold_what_is_held(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    enrolled(plan, people(3000, "c"), "n2")
    planned(letter("Old", marketing=True), people(3000, "d"), journey_version=plan.live_version)

    def looked_at() -> tuple[int, int]:
        """Index entries of due runs and of due letters, as the claims see them."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE wagtail_triggers_enrolment, wagtail_triggers_message")
        runs = Enrolment.objects.filter(wake_at__lte=clock.read(), state="active")
        letters = Message.objects.filter(message_class="marketing", due_at__lte=clock.read())
        return found(runs.order_by("wake_at")), found(letters.order_by("due_at"))

    def found(rows: QuerySet[Any]) -> int:
        (top,) = json.loads(rows.explain(format="json", analyze=True))
        node = top["Plan"]
        while "Plans" in node:
            (node,) = node["Plans"]
        return int(node["Actual Rows"]) + int(node.get("Rows Removed by Filter", 0))

    assert looked_at() == (3000, 3000)
    pause(plan)
    assert looked_at() == (0, 0)
