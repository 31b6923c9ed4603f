"""At night nobody is written to, wherever they live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.concurrency.people import people
from tests.integration.campaigns import news, plan, rules, states
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.policies.arbiter import QUIET, QUIET_TOO_LATE
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

NIGHT = ("22:00", "08:00", "")
SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def ada(clock: FrozenClock, outbox: list[Outgoing]) -> Contact:
    (row,) = people(1)
    return row


def test_message_at_night_waits_for_the_morning_and_a_little_longer(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules(quiet=[NIGHT])
    clock.moment = at("2026-05-01 23:00")
    message = plan(news(), ada)
    run_until_idle()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("deferred", QUIET)
    assert message.due_at is not None
    morning = at("2026-05-02 08:00")
    assert morning <= message.due_at <= morning + timedelta(minutes=30)
    clock.moment = message.due_at
    run_until_idle()
    assert len(outbox) == 1


@pytest.mark.parametrize(
    ("own", "of_site", "leaves"),
    [
        ("Asia/Tokyo", "Europe/Berlin", False),  # 23:00
        ("America/New_York", "Asia/Tokyo", True),  # 10:00
        ("", "Asia/Tokyo", False),
        ("", "", True),  # TIME_ZONE of the project is UTC: 14:00
        ("Not/AZone", "Asia/Tokyo", False),
    ],
)
def test_quiet_hours_are_the_persons_own_then_the_sites_then_the_projects(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing], own: str, of_site: str, leaves: bool
) -> None:
    rules(quiet=[NIGHT], time_zone=of_site)
    Contact.objects.update(time_zone=own)
    clock.moment = at("2026-05-01 14:00")
    plan(news(), ada)
    run_until_idle()
    assert bool(outbox) is leaves


def test_batch_claimed_a_second_before_the_quiet_hours_is_not_sent_in_them(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(quiet=[NIGHT])
    clock.moment = at("2026-05-01 21:59:59")
    version = news()
    messages = [plan(version, row) for row in people(3)]
    send = sender._send

    def slowly(*args: object) -> object:
        outcome = send(*args)  # type: ignore[arg-type]
        clock.travel(31 * SECOND)
        return outcome

    monkeypatch.setattr(sender, "_send", slowly)
    send_batch(MessageClass.MARKETING)
    assert len(outbox) == 1  # the first left before ten
    run_until_idle()
    assert len(outbox) == 1
    assert states(*messages) == ["accepted", "deferred", "deferred"]
    assert set(Message.objects.filter(state="deferred").values_list("reason", flat=True)) == {QUIET}


def test_message_that_is_stale_by_the_morning_expires_with_its_reason(
    ada: Contact, clock: FrozenClock
) -> None:
    rules(quiet=[NIGHT])
    clock.moment = at("2026-05-01 23:00")
    message = plan(news(), ada, worth=timedelta(hours=8))
    run_until_idle()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("expired", QUIET_TOO_LATE)


def test_spreading_does_not_make_a_message_stale(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules(quiet=[NIGHT], quiet_spread_minutes=240)
    clock.moment = at("2026-05-01 23:00")
    message = plan(news(), ada, worth=timedelta(hours=9, seconds=2))
    run_until_idle()
    message.refresh_from_db()
    assert message.due_at is not None
    assert at("2026-05-02 08:00") <= message.due_at < at("2026-05-02 08:00:02")
    clock.moment = message.due_at
    run_until_idle()
    assert len(outbox) == 1


def test_messages_of_one_person_come_due_together_so_that_the_important_one_is_first(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""), quiet=[NIGHT], quiet_spread_minutes=240)
    clock.moment = at("2026-05-01 23:00")
    plan(news("low"), ada)
    clock.travel(timedelta(hours=1))
    plan(news("high"), ada, priority=3)
    run_until_idle()
    assert len(set(Message.objects.values_list("due_at", flat=True))) == 1
    clock.moment = at("2026-05-02 12:00")
    run_until_idle()
    assert [one.subject for one in outbox] == ["high"]


def test_quiet_hours_that_never_end_let_the_message_expire(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules(quiet=[("00:00", "12:00", ""), ("12:00", "00:00", "")])
    message = plan(news(), ada, worth=timedelta(days=3))
    run_until_idle()
    assert states(message) == ["expired"]
    assert outbox == []
