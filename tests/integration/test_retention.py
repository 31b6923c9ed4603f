"""What is old goes, in small batches; what is alive stays, however old it is."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.concurrency.people import enrolled, letter, people, planned, site
from tests.shop import journey, template
from wagtail_triggers.admin.sent import as_sent
from wagtail_triggers.checks import check_retention
from wagtail_triggers.consent.models import FrequencyCap, SendLedger
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock as times
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.health import findings
from wagtail_triggers.engine.models import Enrolment, Job, Refusal, StepRun, Sweep
from wagtail_triggers.engine.retention import sweep
from wagtail_triggers.events.models import Cart, Event
from wagtail_triggers.messages.models import Message, MessageEvent, TriggersSettings
from wagtail_triggers.tasks import forget

pytestmark = pytest.mark.django_db

AGE = timedelta(days=401)


def rows(**options: object) -> dict[str, int]:
    """What a sweep did, by table; tables in which it did nothing are left out."""
    return {one.table.name: one.rows for one in sweep(**options) if one.rows}  # type: ignore[arg-type]


def event(name: str, contact: Contact | None = None, **more: object) -> Event:
    """A routed event of now."""
    moment = times.now()
    fields = {"routed_at": moment, "resolved": True} | more
    return Event.objects.create(
        site=site(), name=name, dedupe_key=name, contact=contact, occurred_at=moment,
        recorded_at=moment, **fields,
    )  # fmt: skip


def left(model: type[Model]) -> set[object]:
    """The names of what is still there."""
    return set(model._default_manager.values_list("name", flat=True))


def test_sweep_of_events_leaves_what_is_young_unrouted_or_part_of_a_run(
    clock: FrozenClock,
) -> None:
    ada, bob, eve = people(3)
    plan = journey("J", [{"kind": "entry", "event": "order_placed"},
                         {"kind": "send", "template": template("Hi")}])  # fmt: skip
    event("before the run", ada)
    clock.travel(timedelta(days=5))
    (alive, ended, waits) = enrolled(plan, [ada, bob, eve])
    Enrolment.objects.filter(pk=ended.pk).update(state="completed", active_slot=None)
    Enrolment.objects.filter(pk=waits.pk).update(state="completed", active_slot=None)
    planned(letter(), [eve], event_id=waits.event_id)
    clock.travel(timedelta(days=5))
    event("part of a run", ada)
    event("of nobody")
    event("of a run that ended", bob)
    event("unrouted", bob, routed_at=None)
    clock.travel(timedelta(days=399))
    event("young", bob)
    clock.travel(timedelta(days=2))
    assert rows() == {"events": 4}  # before the run, two of no live run, bob's order
    assert left(Event) == {"part of a run", "unrouted", "young", "order_placed"}
    assert set(Event.objects.filter(name="order_placed").values_list("pk", flat=True)) == {
        alive.event_id,
        waits.event_id,
    }


def test_sweep_of_steps_jobs_and_refusals_leaves_those_of_live_runs(clock: FrozenClock) -> None:
    ada, bob = people(2)
    plan = journey("J", [{"kind": "entry", "event": "order_placed"},
                         {"kind": "send", "template": template("Hi")}])  # fmt: skip
    alive, ended = enrolled(plan, [ada, bob])
    Enrolment.objects.filter(pk=ended.pk).update(state="exited", active_slot=None)
    moment = clock.moment
    for run in (alive, ended):
        for seq in range(3):
            StepRun.objects.create(
                enrolment=run, version=run.version, seq=seq, node="n", kind="k",
                decision="advance", at=moment,
            )  # fmt: skip
        for seq, state in enumerate(("done", "open")):
            Job.objects.create(
                site=site(), contact=run.contact, enrolment=run, seq=seq, node="n", kind="k",
                state=state, created_at=moment,
            )  # fmt: skip
        Refusal.objects.create(
            journey=plan, contact=run.contact, event_id=run.event_id, reason="once", at=moment
        )
    clock.travel(AGE)
    assert rows() == {"events": 1, "steps": 3, "jobs": 1, "refusals": 2}
    assert set(StepRun.objects.values_list("enrolment_id", flat=True)) == {alive.pk}
    assert sorted(Job.objects.values_list("enrolment_id", "state")) == sorted(
        [(alive.pk, "done"), (alive.pk, "open"), (ended.pk, "open")]
    )
    assert Enrolment.objects.count() == 2  # a journey that is entered once stays entered


def test_sweep_of_messages_empties_what_they_said_and_keeps_that_they_were_sent(
    clock: FrozenClock,
) -> None:
    sent, waits = planned(letter(), people(2), context={"contact": {"first_name": "P"}})
    Message.objects.filter(pk=sent.pk).update(
        state="accepted", due_at=None, settled_at=clock.moment, body_hash="x"
    )
    clock.travel(AGE)
    assert rows() == {"message_contents": 1}
    sent.refresh_from_db()
    waits.refresh_from_db()
    assert (sent.context, waits.context) == ({}, {"contact": {"first_name": "P"}})
    assert (sent.state, sent.body_hash) == ("accepted", "x")
    assert "no longer kept" in as_sent(sent).problem
    assert rows() == {}  # it goes on where it was, instead of walking over all of history
    assert Sweep.objects.get().reached == waits.pk


def test_sweep_of_messages_by_setting_deletes_what_has_ended(
    clock: FrozenClock, settings: Settings
) -> None:
    settings.WAGTAIL_TRIGGERS_RETENTION = {"messages": 100, "message_contents": None}
    first, second, waits = planned(letter(), people(3))
    Message.objects.filter(pk__in=[first.pk, second.pk]).update(
        state="accepted", due_at=None, settled_at=clock.moment
    )
    clock.travel(timedelta(days=60))
    Message.objects.filter(pk=second.pk).update(settled_at=clock.moment)
    clock.travel(timedelta(days=60))
    assert rows() == {"messages": 1}
    assert set(Message.objects.values_list("pk", flat=True)) == {second.pk, waits.pk}


def test_sweep_of_reports_leaves_those_that_have_not_had_their_effects(clock: FrozenClock) -> None:
    for number, due in enumerate((None, clock.moment)):
        MessageEvent.objects.create(
            site=site(), kind="opened", at=clock.moment, recorded_at=clock.moment, provider="X",
            provider_event_id=str(number), due_at=due,
        )  # fmt: skip
    clock.travel(AGE)
    assert rows() == {"reports": 1}
    assert MessageEvent.objects.get().provider_event_id == "1"


def test_sweep_of_permits_leaves_those_of_messages_on_their_way(clock: FrozenClock) -> None:
    sent, waits = planned(letter(), people(2))
    Message.objects.filter(pk=sent.pk).update(
        state="accepted", due_at=None, settled_at=clock.moment
    )
    for row in (sent, waits):
        SendLedger.objects.create(
            site=site(), contact=row.contact, message=row, channel="email", at=clock.moment,
            until=clock.moment,
        )  # fmt: skip
    clock.travel(AGE)
    assert rows()["permits"] == 1
    assert SendLedger.objects.get().message_id == waits.pk


def test_sweep_of_permits_leaves_what_the_longest_frequency_cap_still_counts(
    clock: FrozenClock, settings: Settings
) -> None:
    settings.WAGTAIL_TRIGGERS_RETENTION = {"permits": 1}
    caps = TriggersSettings.for_site(site())
    caps.caps = [FrequencyCap(limit=1, amount=2, unit="days"), FrequencyCap(amount=3, unit="hours")]
    caps.save()
    (sent,) = planned(letter(), people(1))
    Message.objects.update(state="accepted", due_at=None, settled_at=clock.moment)
    SendLedger.objects.create(
        site=site(), contact=sent.contact, message=sent, channel="email", at=clock.moment,
        until=clock.moment,
    )  # fmt: skip
    clock.travel(timedelta(hours=47))
    assert rows() == {}
    clock.travel(timedelta(hours=2))
    assert rows() == {"permits": 1}
    assert not SendLedger.objects.exists()


def test_sweep_of_carts_leaves_those_of_live_runs_and_those_still_to_be_abandoned(
    clock: FrozenClock,
) -> None:
    ada, bob = people(2)
    plan = journey("J", [{"kind": "entry", "event": "order_placed"},
                         {"kind": "send", "template": template("Hi")}])  # fmt: skip
    enrolled(plan, [ada])
    later = clock.moment + timedelta(hours=1)
    for number, (who, abandon_at) in enumerate(((ada, None), (bob, later), (bob, None))):
        Cart.objects.create(
            site=site(), cart_id=str(number), contact=who, updated_at=clock.moment,
            abandon_at=abandon_at,
        )  # fmt: skip
    clock.travel(AGE)
    Cart.objects.create(site=site(), cart_id="new", contact=bob, updated_at=clock.moment)
    assert rows()["carts"] == 1
    assert set(Cart.objects.values_list("cart_id", flat=True)) == {"0", "1", "new"}


def test_sweep_in_small_chunks_does_the_same(clock: FrozenClock) -> None:
    for number in range(25):
        event(f"old {number}", routed_at=None if number % 5 == 0 else clock.moment)
    clock.travel(AGE)
    for number in range(10):
        event(f"new {number}")
    assert rows(chunk=4) == {"events": 20}
    assert Event.objects.count() == 15


def test_sweep_out_of_time_goes_on_the_next_time(clock: FrozenClock) -> None:
    for number in range(10):
        event(f"old {number}")
    clock.travel(AGE)
    assert rows(seconds=0.0) == {}
    first = sweep(seconds=0.0)
    assert not any(one.finished for one in first)
    assert rows() == {"events": 10}


def test_sweep_reads_a_fixed_number_of_rows_of_what_is_young(clock: FrozenClock) -> None:
    def cost(count: int) -> int:
        for _number in range(count):
            event(f"{Event.objects.count()}")
        with CaptureQueriesContext(connection) as queries:
            assert rows(chunk=5) == {}
        return len(queries)

    assert cost(5) == cost(40)


def test_command_dry_run_deletes_nothing_and_says_what_would_go(clock: FrozenClock) -> None:
    event("old")
    clock.travel(AGE)
    event("new")

    def said(*arguments: str) -> list[str]:
        out = StringIO()
        call_command("triggers_retention", *arguments, stdout=out)
        return out.getvalue().splitlines()

    assert "events: 1 would be deleted (older than 400 days)" in said("--dry-run")
    assert left(Event) == {"old", "new"}
    lines = said()
    assert "events: 1 deleted (older than 400 days)" in lines
    assert "messages: kept for ever" in lines
    assert left(Event) == {"new"}


def test_task_sweeps(clock: FrozenClock) -> None:
    event("old")
    clock.travel(AGE)
    forget()
    assert not Event.objects.exists()


def test_doctor_names_what_should_have_gone_days_ago(clock: FrozenClock) -> None:
    event("old")

    def late() -> list[str]:
        found = findings(with_broker=False)
        return [one.text for one in found if one.topic == "Retention" and not one.ok]

    clock.travel(timedelta(days=401))
    assert late() == []
    clock.travel(timedelta(days=2))
    assert "events" in late()[0]
    sweep()
    assert late() == []


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ({}, []),
        ({"events": timedelta(days=400), "messages": None}, []),
        ({"events": 300}, ["wagtail_triggers.W009"]),
        ({"evnets": 300}, ["wagtail_triggers.E006"]),
        ({"events": 0}, ["wagtail_triggers.E006"]),
        ({"events": "400"}, ["wagtail_triggers.E006"]),
        ({"events": True}, ["wagtail_triggers.E006"]),
        ([], ["wagtail_triggers.E006"]),
    ],
)
def test_check_says_what_is_wrong_with_the_setting(
    value: object, ids: list[str], settings: Settings
) -> None:
    settings.WAGTAIL_TRIGGERS_RETENTION = value
    assert [one.id for one in check_retention(None)] == ids


def test_sweep_over_rows_that_must_stay_comes_to_an_end(clock: FrozenClock) -> None:
    for number in range(30):
        event(f"unrouted {number}", routed_at=None)
    clock.travel(AGE)
    event("young")
    (one,) = [one for one in sweep(chunk=10) if one.table.name == "events"]
    assert (one.rows, one.finished) == (0, True)
