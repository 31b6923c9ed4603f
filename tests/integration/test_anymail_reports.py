"""Anymail's tracking signal, from real providers' words to our reports."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.db import OperationalError
from django.test import RequestFactory
from pytest_django import Settings

from tests.integration.test_reports import message
from wagtail_triggers.consent.models import Suppression
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages import anymail_reports
from wagtail_triggers.messages.anymail_reports import report_of
from wagtail_triggers.messages.models import Message, MessageEvent
from wagtail_triggers.messages.report_effects import apply_batch

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 1, 11, 59, tzinfo=UTC)


def event(event_type: str, said: object = None, **more: Any) -> AnymailTrackingEvent:
    """What anymail makes of a webhook."""
    return AnymailTrackingEvent(
        event_type=event_type, timestamp=AT, esp_event=said or {}, **{"metadata": {}, **more}
    )


def test_a_postmark_webhook_reaches_the_message(clock: FrozenClock, settings: Settings) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "me:secret"}
    from anymail.webhooks.postmark import PostmarkTrackingWebhookView

    row = message(Message.State.UNKNOWN, ambiguous=1)
    body = {
        "RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "MessageID": "pm-1",
        "Description": "The server was unable to deliver.", "Email": "p0@example.com",
        "Details": "smtp;550 5.1.1 <p0@example.com> no such user",
        "BouncedAt": "2026-05-01T11:59:00Z", "Metadata": {"wt_id": str(row.public_id)},
    }  # fmt: skip
    view = PostmarkTrackingWebhookView.as_view()
    request = RequestFactory().post(
        "/", json.dumps(body), content_type="application/json",
        headers={"Authorization": "Basic bWU6c2VjcmV0"},
    )  # fmt: skip
    for _time in range(2):  # the provider asks twice
        assert view(request).status_code == 200
    apply_batch()
    stored = MessageEvent.objects.get()
    assert (stored.kind, stored.provider, stored.provider_event_id) == (
        "bounced", "Postmark", "bounced:42",
    )  # fmt: skip
    assert (stored.message_id, stored.at, stored.provider_message_id) == (row.pk, AT, "pm-1")
    assert "p0@" not in stored.detail
    row.refresh_from_db()
    assert (row.state, row.provider_id) == (Message.State.ACCEPTED, "pm-1")
    assert Suppression.objects.get().scope == "all"


@pytest.mark.parametrize(
    ("said", "more", "stops"),
    [
        ({"bounce": {"bounceType": "Permanent"}}, {"reject_reason": "bounced"}, "bounced"),
        ({"bounce": {"bounceType": "Transient"}}, {"reject_reason": "bounced"}, ""),
        ({"bounce": {"bounceType": "Undetermined"}}, {"mta_response": "550 5.1.1 x"}, ""),
        ({"event": "hard_bounce"}, {"reject_reason": "bounced"}, "bounced"),
        ({"event": "soft_bounce"}, {"reject_reason": "bounced"}, ""),
        ({"type": "activity.hard_bounced"}, {}, "bounced"),
        ({"type": "activity.soft_bounced"}, {}, ""),
        ({"event": "bounce", "hard_bounce": True}, {"reject_reason": "bounced"}, "bounced"),
        ({"event": "bounce", "hard_bounce": False}, {"reject_reason": "bounced"}, ""),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, {}, "bounced"),
        ({"event": "bounce", "type": "blocked", "status": "5.7.1"}, {}, ""),
        ({"event-data": {"severity": "permanent"}}, {"reject_reason": "bounced"}, "bounced"),
        ({"bounce_class": "10"}, {"reject_reason": "invalid"}, "bounced"),
        ({"Type": "SoftBounce"}, {"reject_reason": "bounced"}, ""),
        ({}, {"mta_response": "550-5.1.1 The account does not exist"}, "bounced"),
        ({}, {"mta_response": "552 5.2.2 mailbox full"}, ""),
        ({}, {"reject_reason": "bounced"}, ""),
        ({"tags": ["permanent"], "subject": "hard_bounce"}, {}, ""),
    ],
)
def test_report_of_a_bounce_stops_an_address_only_where_it_is_for_ever(
    said: dict[str, Any], more: dict[str, Any], stops: str
) -> None:
    assert report_of(event("bounced", said, **more), "X").stops == stops


@pytest.mark.parametrize(
    ("reason", "stops"),
    [
        ("invalid", "bounced"), ("bounced", "bounced"), ("spam", "complained"), ("blocked", ""),
        ("other", ""),
    ],
)  # fmt: skip
def test_report_of_a_rejection_takes_over_what_the_provider_remembers(
    reason: str, stops: str
) -> None:
    found = report_of(event("rejected", reject_reason=reason), "X")
    assert (found.kind, found.stops) == ("rejected", stops)


@pytest.mark.parametrize(
    ("said", "machine"),
    [
        ({"event": "open", "sg_machine_open": True}, True),
        ({"event": "open", "sg_machine_open": False}, False),
        ({"event-data": {"client-info": {"bot": "apple"}}}, True),
        ({"event-data": {"client-info": {"bot": ""}}}, False),
        ({"event": "proxy_open"}, True),
        ({"msys": {"track_event": {"is_prefetched": True}}}, True),
        ({"event": "open"}, False),
    ],
)
def test_report_of_an_opening_says_whether_a_machine_did_it(
    said: dict[str, Any], machine: bool
) -> None:
    assert report_of(event("opened", said), "X").machine is machine


def test_every_kind_of_anymail_is_known_or_kept_as_something_else() -> None:
    from anymail.signals import EventType

    names = {value for name, value in vars(EventType).items() if name.isupper()}
    other = {"autoresponded", "subscribed", "inbound", "inbound_failed", "unknown"}
    assert set(anymail_reports.KINDS) == names - other
    for name in other:
        assert report_of(event(name), "X").kind == "other"


def test_without_an_id_two_openings_are_told_apart_by_their_time(clock: FrozenClock) -> None:
    row = message()
    first, second = (event("opened", message_id="theirs-1") for _ in range(2))
    second.timestamp = AT.replace(second=1)
    for one in (first, second, first, second):
        tracking.send(None, event=one, esp_name="Mandrill")
    assert MessageEvent.objects.count() == 2
    apply_batch()
    assert set(MessageEvent.objects.values_list("message_id", flat=True)) == {row.pk}


@pytest.mark.parametrize(
    "bad",
    [
        AnymailTrackingEvent(event_type=None, esp_event=object(), metadata=None, timestamp="soon"),
        object(),
        None,
    ],
)
def test_receive_what_cannot_be_understood_is_answered_with_success(
    bad: object, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    tracking.send(None, event=bad, esp_name="X")  # raises nothing
    assert not MessageEvent.objects.exclude(kind="other").exists()


def test_receive_when_the_database_fails_the_provider_has_an_error(
    monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> None:
    def down(*_args: object, **_options: object) -> None:
        raise OperationalError("the database is down")

    monkeypatch.setattr(MessageEvent.objects, "bulk_create", down)
    with pytest.raises(OperationalError):
        tracking.send(None, event=event("delivered"), esp_name="X")


def test_receive_costs_one_insert(
    clock: FrozenClock, django_assert_num_queries: Any, outbox: list[object]
) -> None:
    message()
    tracking.send(None, event=event("sent"), esp_name="X")
    with django_assert_num_queries(1):
        tracking.send(None, event=event("delivered"), esp_name="X")
