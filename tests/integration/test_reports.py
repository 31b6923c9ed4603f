"""What providers report later: stored once, whatever the order, and with its effects."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import letter, people, planned
from wagtail_triggers.consent.addresses import current_hash
from wagtail_triggers.consent.models import ConsentEvent, Subscription, Suppression, Topic
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.scheduler import due_tasks
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.models import Message, MessageEvent
from wagtail_triggers.messages.report_effects import apply_batch
from wagtail_triggers.messages.reports import Report, record
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

State = Message.State


def message(state: str = State.ACCEPTED, *, marketing: bool = False, **fields: object) -> Message:
    """One message to p0@example.com, in this state."""
    (person,) = people(1)
    (row,) = planned(letter(marketing=marketing), [person])
    waits = state in Message.WAITING
    row.state, row.due_at = state, row.due_at if waits else None
    row.address = person.email
    row.address_hash = current_hash("email", person.email)
    row.provider_id = "theirs-1"
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


def report(kind: str, row: Message | None = None, **more: object) -> Report:
    """A report about a message, by our own id."""
    plain = Report(kind, "Postmark", public_id=str(row.public_id) if row else "", event_id="")
    return replace(plain, **more)  # type: ignore[arg-type]  # names are Report's


def kinds() -> list[str]:
    """What is stored, in the order of time."""
    return list(MessageEvent.objects.order_by("at", "pk").values_list("kind", flat=True))


def events() -> list[str]:
    """What journeys can hear of it."""
    rows = Event.objects.filter(source="provider").order_by("occurred_at", "pk")
    return list(rows.values_list("name", flat=True))


def test_record_a_bounce_after_a_delivery_keeps_both(clock: FrozenClock) -> None:
    row = message()
    record([report("delivered", row, at=clock.moment)])
    apply_batch()
    clock.travel(timedelta(hours=1))
    record([report("bounced", row, at=clock.moment, detail="550 <p0@example.com> is unknown")])
    apply_batch()
    assert kinds() == ["delivered", "bounced"]
    assert events() == ["message_delivered", "message_bounced"]
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.ACCEPTED, "")
    assert MessageEvent.objects.get(kind="bounced").detail == "550 <…> is unknown"


def test_record_a_storm_shuffled_and_doubled_has_each_effect_once(clock: FrozenClock) -> None:
    rows = planned(letter(), people(20))
    Message.objects.update(state=State.UNKNOWN_PARKED, due_at=None, ambiguous=1)
    told = [
        report(kind, row, at=clock.moment - timedelta(minutes=minutes), event_id=f"{kind}{row.pk}")
        for row in rows
        for minutes, kind in ((3, "delivered"), (2, "opened"), (1, "clicked"))
    ]
    storm = told * 3
    random.Random(7).shuffle(storm)
    for start in range(0, len(storm), 11):
        record(storm[start : start + 11])
        if start % 3 == 0:
            apply_batch(limit=7)
    while apply_batch():
        pass
    assert MessageEvent.objects.count() == 60
    assert Event.objects.filter(source="provider").count() == 60
    assert set(Message.objects.values_list("state", flat=True)) == {State.ACCEPTED}
    assert not MessageEvent.objects.exclude(due_at=None).exists()


def test_record_about_no_message_of_ours_is_kept_and_starts_nothing(clock: FrozenClock) -> None:
    record([report("complained", provider_message_id="somebody's", public_id=str(uuid4()))])
    apply_batch()
    clock.travel(timedelta(minutes=16))
    assert apply_batch() == 1
    assert apply_batch() == 0
    stored = MessageEvent.objects.get()
    assert (stored.message_id, stored.due_at) == (None, None)
    assert not Event.objects.exists()
    assert not Suppression.objects.exists()


def test_apply_a_report_that_overtook_the_outcome_finds_its_message_later(
    clock: FrozenClock,
) -> None:
    row = message(provider_id="")
    record([report("delivered", provider_message_id="theirs-9")])
    assert apply_batch() == 1
    assert not events()
    Message.objects.filter(pk=row.pk).update(provider_id="theirs-9")
    assert apply_batch() == 0  # not before a minute has passed
    clock.travel(timedelta(minutes=1))
    assert apply_batch() == 1
    assert events() == ["message_delivered"]
    assert MessageEvent.objects.get().message_id == row.pk


def test_apply_an_id_that_two_messages_share_is_about_neither(clock: FrozenClock) -> None:
    planned(letter(), people(2), provider_id="same")
    record([report("bounced", provider_message_id="same", stops="bounced")])
    apply_batch()
    assert MessageEvent.objects.get().message_id is None
    assert not Suppression.objects.exists()


def test_record_finds_our_id_inside_the_message_id_that_we_chose(clock: FrozenClock) -> None:
    row = message()
    record([report("delivered", provider_message_id=f"<{row.public_id}@shop.example>")])
    apply_batch()
    assert MessageEvent.objects.get().message_id == row.pk


@pytest.mark.parametrize("kind", ["delivered", "opened", "clicked", "bounced", "deferred", "sent"])
@pytest.mark.parametrize("state", [State.UNKNOWN, State.UNKNOWN_PARKED, State.SENDING])
def test_apply_what_proves_that_it_left_heals_a_message_in_doubt(
    state: str, kind: str, clock: FrozenClock
) -> None:
    row = message(state, ambiguous=1, token=uuid4(), lease_until=clock.moment, reason="timed out")
    record([report(kind, row, provider_message_id="theirs-2")])
    apply_batch()
    row.refresh_from_db()
    assert (row.state, row.reason, row.provider_id) == (State.ACCEPTED, "", "theirs-2")
    assert (row.due_at, row.token, row.lease_until) == (None, None, None)
    assert row.settled_at == clock.moment


@pytest.mark.parametrize("state", [State.RETRY, State.CLAIMED, State.EXPIRED])
def test_apply_heals_also_what_was_tried_again_after_an_unknown_attempt(
    state: str, clock: FrozenClock
) -> None:
    row = message(state, ambiguous=1)
    record([report("delivered", row)])
    apply_batch()
    row.refresh_from_db()
    assert row.state == State.ACCEPTED


@pytest.mark.parametrize("state", [State.PLANNED, State.CLAIMED, State.SKIPPED, State.CANCELLED])
def test_apply_does_not_believe_that_what_we_never_handed_over_was_opened(
    state: str, clock: FrozenClock
) -> None:
    row = message(state)
    before = Message.objects.filter(pk=row.pk).values().get()
    record([report("opened", row)])
    apply_batch()
    assert Message.objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        (State.SENDING, State.FAILED),
        (State.UNKNOWN, State.FAILED),
        (State.UNKNOWN_PARKED, State.FAILED),
        (State.ACCEPTED, State.ACCEPTED),
        (State.PLANNED, State.PLANNED),
    ],
)
def test_apply_a_rejection_fails_what_was_in_doubt_and_nothing_else(
    state: str, ends: str, clock: FrozenClock
) -> None:
    row = message(state)
    record([report("rejected", row, detail="suppressed")])
    apply_batch()
    row.refresh_from_db()
    assert row.state == ends
    assert row.reason == ("suppressed" if ends == State.FAILED else "")


def test_apply_a_rejection_lets_what_waits_for_the_slot_be_looked_at_now(
    clock: FrozenClock,
) -> None:
    row = message(State.UNKNOWN_PARKED, marketing=True)
    (waits,) = planned(letter("Offer", marketing=True), [row.contact])
    later = clock.moment + timedelta(days=2)
    Message.objects.filter(pk=waits.pk).update(state=State.DEFERRED, due_at=later)
    record([report("rejected", row)])
    apply_batch()
    waits.refresh_from_db()
    assert (waits.state, waits.due_at) == (State.DEFERRED, clock.moment)


def test_apply_a_healed_message_is_not_sent_a_second_time(
    clock: FrozenClock, outbox: list[object]
) -> None:
    row = message(State.UNKNOWN, ambiguous=1)  # transactional: it would be repeated once
    record([report("delivered", row)])
    run_until_idle()
    assert outbox == []
    row.refresh_from_db()
    assert row.state == State.ACCEPTED


def subscribed(row: Message, slug: str) -> Subscription:
    """A yes of the message's address to a topic."""
    topic, _made = Topic.objects.get_or_create(
        site_id=row.site_id, slug=slug, defaults={"name": slug}
    )
    return Subscription.objects.create(
        site_id=row.site_id, topic=topic, address=row.address, state="subscribed",
        changed_at=row.planned_at - timedelta(days=3),
    )  # fmt: skip


def test_apply_a_hard_bounce_suppresses_everything_and_withdraws(clock: FrozenClock) -> None:
    row = message()
    yes = subscribed(row, "letters")
    record([report("bounced", row, stops="bounced")])
    apply_batch()
    stop = Suppression.objects.get()
    assert (stop.scope, stop.reason) == ("all", "bounced")
    assert stop.address_hash == current_hash("email", "p0@example.com")
    yes.refresh_from_db()
    assert yes.state == "unsubscribed"
    proof = ConsentEvent.objects.get()
    assert (proof.action, proof.source) == ("bounced", "Postmark: bounced")


def test_apply_a_soft_bounce_stops_nothing(clock: FrozenClock) -> None:
    row = message()
    yes = subscribed(row, "letters")
    record([report("bounced", row, detail="452 mailbox full")])
    apply_batch()
    assert not Suppression.objects.exists()
    assert not ConsentEvent.objects.exists()
    yes.refresh_from_db()
    assert yes.state == "subscribed"
    assert Event.objects.get(name="message_bounced").payload["permanent"] is False


def test_apply_a_complaint_stops_marketing_and_lets_receipts_through(
    clock: FrozenClock, outbox: list[object]
) -> None:
    row = message(marketing=True)
    yes = subscribed(row, "letters")
    record([report("complained", row)])
    apply_batch()
    stop = Suppression.objects.get()
    assert (stop.scope, stop.reason) == ("marketing", "complained")
    yes.refresh_from_db()
    assert yes.state == "unsubscribed"
    (receipt,) = planned(letter("Receipt"), [row.contact])
    (offer,) = planned(letter("Offer", marketing=True), [row.contact])
    run_until_idle()
    receipt.refresh_from_db()
    offer.refresh_from_db()
    assert (receipt.state, offer.state) == (State.ACCEPTED, State.SKIPPED)


def test_apply_an_unsubscribe_at_the_provider_withdraws_the_messages_topic_alone(
    clock: FrozenClock,
) -> None:
    row = message(marketing=True)
    other = subscribed(row, "letters")
    record([report("unsubscribed", row)])
    apply_batch()
    assert not Suppression.objects.exists()
    assert row.topic is not None
    answers = dict(Subscription.objects.values_list("topic__slug", "state"))
    assert answers == {row.topic.slug: "unsubscribed", "letters": "subscribed"}
    assert ConsentEvent.objects.get().topic_slug == row.topic.slug
    other.refresh_from_db()
    assert other.state == "subscribed"


def test_apply_a_report_older_than_a_yes_does_not_take_it_back(clock: FrozenClock) -> None:
    row = message(marketing=True)
    assert row.topic is not None
    yes = subscribed(row, row.topic.slug)
    Subscription.objects.filter(pk=yes.pk).update(changed_at=clock.moment)
    record([report("unsubscribed", row, at=clock.moment - timedelta(hours=1))])
    apply_batch()
    yes.refresh_from_db()
    assert yes.state == "subscribed"


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (("all", "bounced"), "complained", ("all", "bounced")),
        (("marketing", "unsubscribed"), "complained", ("marketing", "complained")),
        (("marketing", "complained"), "bounced", ("all", "bounced")),
        (("marketing", "manual"), "complained", ("marketing", "manual")),
        (("all", "erased"), "bounced", ("all", "erased")),
    ],
)
def test_apply_never_narrows_a_suppression(
    before: tuple[str, str], kind: str, after: tuple[str, str], clock: FrozenClock
) -> None:
    row = message()
    Suppression.objects.create(
        site_id=row.site_id, address_hash=row.address_hash, created_at=clock.moment,
        scope=before[0], reason=before[1],
    )  # fmt: skip
    record([report(kind, row, stops=kind)])
    apply_batch()
    stop = Suppression.objects.get()
    assert (stop.scope, stop.reason) == after


def test_apply_an_erased_address_is_suppressed_by_its_hash(clock: FrozenClock) -> None:
    row = message(address="")
    record([report("bounced", row, stops="bounced")])
    apply_batch()
    assert Suppression.objects.get().address_hash == row.address_hash


def test_apply_makes_events_that_journeys_can_tell_apart(clock: FrozenClock) -> None:
    row = message(enrolment_id=41, node="n3", depth=2)
    record([report("clicked", row, url="https://shop.example/p/1", machine=True)])
    apply_batch()
    event = Event.objects.get()
    assert event.payload == {
        "message_id": str(row.public_id), "run": 41, "node": "n3", "machine": True,
        "permanent": False, "url": "https://shop.example/p/1", "detail": "",
    }  # fmt: skip
    assert (event.name, event.source, event.depth) == ("message_clicked", "provider", 3)
    assert event.refs == [f"message:{row.public_id}"]
    assert (event.contact_id, event.resolved, event.routed_at) == (row.contact_id, True, None)


def test_apply_a_provider_whose_clock_is_wrong_reports_nothing_before_it_was_planned(
    clock: FrozenClock,
) -> None:
    row = message()
    record(
        [
            report("opened", row, at=clock.moment - timedelta(days=3), event_id="a"),
            report("opened", row, at=clock.moment + timedelta(days=3), event_id="b"),
        ]
    )
    apply_batch()
    assert set(Event.objects.values_list("occurred_at", flat=True)) == {
        row.planned_at,
        clock.moment,
    }


def test_record_text_that_no_database_takes_is_made_fit(clock: FrozenClock) -> None:
    row = message()
    record([report("clicked", row, url="https://x/\x00\ud800" + "a" * 3_000, detail="\x00b\ud800")])
    apply_batch()
    stored = MessageEvent.objects.get()
    assert (len(stored.url), stored.detail) == (2_000, "b?")


def test_due_tasks_a_stored_report_is_work_for_the_router(clock: FrozenClock) -> None:
    row = message()
    assert due_tasks() == []
    record([report("delivered", row)])
    assert due_tasks() == ["wagtail_triggers.route"]
    run_until_idle()
    assert due_tasks() == []
    assert Event.objects.get().routed_at == clock.moment


def test_apply_takes_the_same_number_of_queries_for_any_number_of_reports(
    clock: FrozenClock,
) -> None:
    version = letter(marketing=True)

    def cost(prefix: str, count: int) -> int:
        rows = planned(version, people(count, prefix))
        Message.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=State.UNKNOWN, ambiguous=1, address=prefix, address_hash=prefix
        )
        for number, row in enumerate(rows):
            address = f"{prefix}{number}@example.com"
            Message.objects.filter(pk=row.pk).update(
                address=address, address_hash=current_hash("email", address)
            )
            row.address = address
            subscribed(row, "letters")
        for kind in ("bounced", "unsubscribed", "opened"):
            stops = "bounced" if kind == "bounced" else ""
            record([report(kind, row, stops=stops) for row in rows])
        with CaptureQueriesContext(connection) as queries:
            assert apply_batch(limit=1_000) == 3 * count
        return len(queries)

    assert cost("few", 2) == cost("many", 15)
