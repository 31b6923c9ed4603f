"""Channels by setting, and the one for tests."""

from __future__ import annotations

import smtplib
import socket
from dataclasses import FrozenInstanceError, replace

import pytest
from django.test import override_settings

from wagtail_triggers.core.http import retry_after
from wagtail_triggers.exceptions import ConfigurationError
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing, get_channel
from wagtail_triggers.messages.channels.faults import classify
from wagtail_triggers.messages.channels.memory import MemoryChannel
from wagtail_triggers.messages.channels.smtp import scrubbed

MAIL = Outgoing(address="ann@example.com", subject="Hi", text="Hi", idempotency_key="1")
MEMORY = {"memory": {"BACKEND": "wagtail_triggers.messages.channels.memory.MemoryChannel"}}


@pytest.fixture(autouse=True)
def _empty() -> None:
    memory.clear()


@override_settings(WAGTAIL_TRIGGERS_CHANNELS=MEMORY)
def test_get_channel_builds_what_the_setting_names() -> None:
    assert isinstance(get_channel("memory"), MemoryChannel)


@override_settings(
    WAGTAIL_TRIGGERS_CHANNELS={"memory": {**MEMORY["memory"], "OPTIONS": {"idempotent": False}}}
)
def test_get_channel_hands_over_the_options() -> None:
    assert get_channel("memory").idempotent is False


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, r"no channel 'email' \(there is: none\)"),
        (MEMORY, r"there is: memory"),
        ({"email": {}}, "must look like"),
        ({"email": {"BACKEND": "no.such.Channel"}}, "cannot be imported"),
        ({"email": {"BACKEND": "builtins.dict"}}, "names dict, which is not a channel"),
    ],
)
def test_get_channel_of_a_wrong_setting_says_the_fix(spec: dict[str, object], message: str) -> None:
    with (
        override_settings(WAGTAIL_TRIGGERS_CHANNELS=spec),
        pytest.raises(ConfigurationError, match=message),
    ):
        get_channel("email")


def test_outgoing_and_outcome_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        MAIL.address = "x@evil.example"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Outcome(OutcomeKind.ACCEPTED).kind = OutcomeKind.REFUSED  # type: ignore[misc]


def test_memory_keeps_what_it_is_given() -> None:
    with MemoryChannel() as channel:
        assert channel.send(MAIL) == Outcome(OutcomeKind.ACCEPTED, "memory-1", "sent")
    assert memory.outbox == memory.attempts == [MAIL]


def test_memory_that_is_idempotent_keeps_a_key_once() -> None:
    channel = MemoryChannel()
    assert channel.send(MAIL).kind == channel.send(MAIL).kind == OutcomeKind.ACCEPTED
    channel.send(replace(MAIL, idempotency_key="2"))
    assert [one.idempotency_key for one in memory.outbox] == ["1", "2"]
    assert len(memory.attempts) == 3


def test_memory_that_is_not_idempotent_keeps_a_key_twice() -> None:
    channel = MemoryChannel(idempotent=False)
    channel.send(MAIL)
    channel.send(MAIL)
    assert memory.outbox == [MAIL, MAIL]


def test_memory_follows_its_script_then_delivers() -> None:
    refused = Outcome(OutcomeKind.REFUSED, detail="no")
    late = Outcome(OutcomeKind.AMBIGUOUS, status="delivered")
    memory.script([refused, late, lambda mail: None])
    channel = MemoryChannel(idempotent=False)
    assert channel.send(MAIL) == refused
    assert memory.outbox == []
    assert channel.send(MAIL) == late
    assert memory.outbox == [MAIL]
    assert channel.send(MAIL).kind is OutcomeKind.ACCEPTED
    assert memory.outbox == [MAIL, MAIL]


def test_memory_cleared_has_forgotten_everything() -> None:
    memory.script([Outcome(OutcomeKind.REFUSED)])
    MemoryChannel().send(MAIL)
    memory.clear()
    assert memory.attempts == []
    assert MemoryChannel().send(MAIL).kind is OutcomeKind.ACCEPTED


class Response:
    def __init__(self, headers: dict[str, str] | None = None) -> None:
        self.headers = headers or {}


class AnymailRequestsAPIError(Exception):
    def __init__(
        self, text: str = "", *, status: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status_code = status
        self.response = Response(headers) if status else None


class NewConnectionError(Exception):
    pass


class MaxRetryError(Exception):
    def __init__(self, reason: Exception) -> None:
        super().__init__("Max retries exceeded")
        self.reason = reason


class ReadTimeout(Exception):
    pass


class ClientError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


API = AnymailRequestsAPIError
LATER = {"Retry-After": "17"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (API(status=429), OutcomeKind.NEVER_LEFT),
        (API(status=503, headers=LATER), OutcomeKind.NEVER_LEFT),
        (API(status=503), OutcomeKind.AMBIGUOUS),
        (API(status=401), OutcomeKind.NEVER_LEFT),
        (API(status=408), OutcomeKind.NEVER_LEFT),
        (API(status=400), OutcomeKind.REFUSED),
        (API(status=403), OutcomeKind.REFUSED),
        (API(status=404), OutcomeKind.REFUSED),
        (API(status=422), OutcomeKind.REFUSED),
        (API(status=409), OutcomeKind.AMBIGUOUS),
        (API(status=500), OutcomeKind.AMBIGUOUS),
        (API(status=502), OutcomeKind.AMBIGUOUS),
        (API(status=504), OutcomeKind.AMBIGUOUS),
        (API("Invalid JSON", status=200), OutcomeKind.AMBIGUOUS),
        (caused(API(), MaxRetryError(NewConnectionError())), OutcomeKind.NEVER_LEFT),
        (caused(API(), socket.gaierror(-2, "Name")), OutcomeKind.NEVER_LEFT),
        (caused(API(), ConnectionRefusedError()), OutcomeKind.NEVER_LEFT),
        (caused(API(), ReadTimeout()), OutcomeKind.AMBIGUOUS),
        (caused(API(), ConnectionResetError()), OutcomeKind.AMBIGUOUS),
        (ClientError(400, "Throttling"), OutcomeKind.NEVER_LEFT),
        (ClientError(400, "MessageRejected"), OutcomeKind.REFUSED),
        (smtplib.SMTPServerDisconnected("x"), OutcomeKind.AMBIGUOUS),
        (smtplib.SMTPConnectError(421, b"x"), OutcomeKind.NEVER_LEFT),
        (smtplib.SMTPAuthenticationError(535, b"x"), OutcomeKind.NEVER_LEFT),
        (smtplib.SMTPDataError(452, b"x"), OutcomeKind.NEVER_LEFT),
        (smtplib.SMTPDataError(554, b"x"), OutcomeKind.REFUSED),
        (smtplib.SMTPDataError(-1, b"x"), OutcomeKind.AMBIGUOUS),
        (smtplib.SMTPSenderRefused(550, b"x", "a"), OutcomeKind.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"x")}), OutcomeKind.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"x")}), OutcomeKind.NEVER_LEFT),
        (TimeoutError(), OutcomeKind.AMBIGUOUS),
        (ConnectionResetError(), OutcomeKind.AMBIGUOUS),
        (RuntimeError("whatever"), OutcomeKind.AMBIGUOUS),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_fault_after_the_connection_stood_says_whether_the_mail_left(
    error: Exception, kind: OutcomeKind
) -> None:
    assert classify(error).kind is kind


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), smtplib.SMTPServerDisconnected("x")]
)
def test_fault_before_the_connection_stood_left_nothing(error: Exception) -> None:
    assert classify(error, connected=False).kind is OutcomeKind.NEVER_LEFT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "999999999"}, 86_400.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        (
            {
                "Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT",
                "Date": "Sat, 21 Nov 2026 12:00:00 GMT",
            },
            60.0,
        ),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
    outcome = classify(API(status=429, headers=headers))
    assert outcome.retry_after == seconds


def test_detail_tells_staff_why_without_addresses_or_bodies() -> None:
    error = API("Bad recipient <ann@example.com>\nsecret body", status=422)
    outcome = classify(error)
    assert outcome.detail == "HTTP 422 AnymailRequestsAPIError: Bad recipient <…>"
    assert outcome.status == "422"
    assert scrubbed("a" * 500) == "a" * 200
