"""Email over real sockets, on each Django that is supported."""

from __future__ import annotations

import email
import email.policy
import gc
import socket
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind
from wagtail_triggers.messages.channels.email import EmailChannel
from wagtail_triggers.messages.channels.smtp import Dialogue

from .mails import MAIL, MARKETING, SMTP, use
from .scripted_smtp import Act, Server, drop, freeze, stall


@pytest.fixture(autouse=True)
def _deprecations_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        warnings.simplefilter("error", PendingDeprecationWarning)
        yield


@pytest.fixture(params=[False, True], ids=["one by one", "pipelining"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(pipelining=request.param)
    yield made
    made.close()


@pytest.fixture
def channel(settings: Settings, server: Server) -> Iterator[EmailChannel]:
    use(settings, SMTP, host="127.0.0.1", port=server.port)
    made = EmailChannel(timeout=0.5, hard_timeout=3)
    yield made
    made.close()


def test_smtp_mail_arrives_as_it_was_built(channel: EmailChannel, server: Server) -> None:
    outcome = channel.send(MARKETING)
    assert outcome == Outcome(OutcomeKind.ACCEPTED, provider_id="ABC123", status="queued")
    message = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert message["Subject"] == "Grüße"
    assert message["To"].addresses[0].display_name == "Ann Ä"
    assert message["List-Unsubscribe"] == "<https://shop.example/u/1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["X-WT-Id"] == "1"
    assert message["Message-ID"] == "<1@example.com>"
    text, html = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == "Hi\n.dot\n..two"
    assert html.get_content() == "<p>Hi 👋</p>"


def test_smtp_batch_goes_over_one_connection(channel: EmailChannel, server: Server) -> None:
    with channel:
        kinds = [channel.send(MAIL).kind for _ in range(5)]
    assert kinds == [OutcomeKind.ACCEPTED] * 5
    assert server.connections == 1
    assert len(server.mails) == 5


def test_smtp_server_that_offers_pipelining_is_asked_in_one_piece(
    channel: EmailChannel, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    send = Dialogue._send

    def noted(dialogue: Dialogue, payload: bytes, behind_the_dot: int | None = None) -> None:
        sent.append(payload)
        send(dialogue, payload, behind_the_dot)

    monkeypatch.setattr(Dialogue, "_send", noted)
    assert channel.send(MAIL).kind is OutcomeKind.ACCEPTED
    *before, mail = sent
    assert mail.endswith(b"\r\n.\r\n")
    assert len(before) == int(server.pipelining)
    for piece in before:
        lines = piece.split(b"\r\n")
        assert [line.split(b" ")[0] for line in lines] == [b"MAIL", b"RCPT", b"DATA", b""]
        assert lines[1] == b"RCPT TO:<ann@example.com>"


def test_smtp_connection_that_idled_out_is_opened_anew(
    channel: EmailChannel, server: Server
) -> None:
    with channel:
        channel.send(MAIL)
        server.answers["MAIL"] = [drop]
        assert channel.send(MAIL).kind is OutcomeKind.ACCEPTED
    assert server.connections == 2
    assert len(server.mails) == 2


#: What the server does, what that means, and how many mails it then has.
FAULTS: list[tuple[dict[str, list[Act]], OutcomeKind, int]] = [
    ({"": ["554 no"]}, OutcomeKind.NEVER_LEFT, 0),
    ({"": ["421 busy"]}, OutcomeKind.NEVER_LEFT, 0),
    ({"": [drop, drop]}, OutcomeKind.NEVER_LEFT, 0),
    ({"": [stall]}, OutcomeKind.NEVER_LEFT, 0),
    ({"EHLO": [drop, drop]}, OutcomeKind.NEVER_LEFT, 0),
    ({"MAIL": ["451 later"]}, OutcomeKind.NEVER_LEFT, 0),
    ({"MAIL": ["421 closing"]}, OutcomeKind.NEVER_LEFT, 0),
    ({"MAIL": ["550 no"]}, OutcomeKind.REFUSED, 0),
    ({"MAIL": [stall]}, OutcomeKind.NEVER_LEFT, 0),
    ({"RCPT": ["550 no such user"]}, OutcomeKind.REFUSED, 0),
    ({"RCPT": ["450 greylisted"]}, OutcomeKind.NEVER_LEFT, 0),
    ({"RCPT": [drop]}, OutcomeKind.NEVER_LEFT, 0),
    # It waits for the mail although there is nobody to send it to: it must not get one.
    ({"RCPT": ["550 no such user"], "DATA": ["354 go"]}, OutcomeKind.REFUSED, 0),
    ({"DATA": ["554 no"]}, OutcomeKind.REFUSED, 0),
    ({"DATA": ["451 later"]}, OutcomeKind.NEVER_LEFT, 0),
    ({"DATA": [drop]}, OutcomeKind.NEVER_LEFT, 0),
    ({".": ["554 spam"]}, OutcomeKind.REFUSED, 0),
    ({".": ["452 full"]}, OutcomeKind.NEVER_LEFT, 0),
    ({".": [drop]}, OutcomeKind.AMBIGUOUS, 0),
    ({".": ["lost answer"]}, OutcomeKind.AMBIGUOUS, 1),
    ({".": [stall]}, OutcomeKind.AMBIGUOUS, 0),
    ({".": ["gibberish"]}, OutcomeKind.AMBIGUOUS, 0),
]


@pytest.mark.parametrize(
    ("answers", "kind", "delivered"),
    FAULTS,
    # Never a function's repr: its address differs in each worker of pytest-xdist.
    ids=[
        f"{where or 'greeting'}-{getattr(acts[0], '__name__', acts[0])}"[:30]
        for answers, _, _ in FAULTS
        for where, acts in list(answers.items())[:1]
    ],
)
def test_smtp_fault_is_classified_by_how_far_the_mail_was(
    channel: EmailChannel,
    server: Server,
    answers: dict[str, list[Act]],
    kind: OutcomeKind,
    delivered: int,
) -> None:
    server.answers = {command: list(acts) for command, acts in answers.items()}
    started = time.monotonic()
    outcome = channel.send(MAIL)
    assert outcome.kind is kind
    assert len(server.mails) == delivered
    assert time.monotonic() - started < 3
    assert "ann@example.com" not in outcome.detail


@pytest.mark.parametrize(
    "answers",
    [answers for answers, _, _ in FAULTS[5:]],
    ids=[str(number) for number in range(len(FAULTS[5:]))],
)
def test_smtp_batch_goes_on_after_a_fault(
    channel: EmailChannel, server: Server, answers: dict[str, list[Act]]
) -> None:
    server.answers = {command: acts[:1] for command, acts in answers.items()}
    with channel:
        channel.send(MAIL)
        server.answers = {}
        assert channel.send(replace(MAIL, idempotency_key="2")).kind is OutcomeKind.ACCEPTED
    assert b"X-WT-Id: 2" in server.mails[-1]


def test_smtp_body_that_does_not_leave_whole_has_never_left(
    channel: EmailChannel, server: Server
) -> None:
    # More than the buffers on both sides take, so that the last bytes stay with us.
    large = replace(MAIL, html="x" * 16_000_000)
    for act in (freeze, drop):
        server.answers = {"body": [act]}
        assert channel.send(large).kind is OutcomeKind.NEVER_LEFT
    assert server.mails == []


def test_smtp_refused_connection_has_never_left(settings: Settings) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    use(settings, SMTP, host="127.0.0.1", port=port)
    with EmailChannel(timeout=0.5) as channel:
        outcome = channel.send(MAIL)
    assert outcome.kind is OutcomeKind.NEVER_LEFT
    assert "ConnectionRefusedError" in outcome.detail


def test_smtp_unknown_host_has_never_left(settings: Settings) -> None:
    use(settings, SMTP, host="no-such-host.invalid", port=25)
    assert EmailChannel(timeout=0.5).send(MAIL).kind is OutcomeKind.NEVER_LEFT


def test_smtp_server_without_tls_has_never_left(settings: Settings, server: Server) -> None:
    use(settings, SMTP, host="127.0.0.1", port=server.port, use_tls=True)
    assert EmailChannel(timeout=0.5).send(MAIL).kind is OutcomeKind.NEVER_LEFT
    assert "MAIL" not in server.commands


def test_smtp_attempt_ends_by_its_hard_timeout(channel: EmailChannel, server: Server) -> None:
    channel.timeout = 60
    channel.hard_timeout = 1
    server.answers = {".": [stall]}
    started = time.monotonic()
    assert channel.send(MAIL).kind is OutcomeKind.AMBIGUOUS
    assert 0.9 < time.monotonic() - started < 2


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "ann@example.com\r\nRCPT TO:<x@evil.example>"},
        {"address": "änn@example.com"},
        {"address": ""},
        {"from_email": "Shop\r\nBcc: x@evil.example <shop@example.com>"},
        {"subject": "Hi\r\nBcc: x@evil.example"},
        {"headers": (("Bcc", "x@evil.example"),)},
    ],
)
def test_smtp_mail_that_is_not_safe_is_refused_and_nothing_leaves(
    channel: EmailChannel, server: Server, changed: dict[str, Any]
) -> None:
    assert channel.send(replace(MAIL, **changed)).kind is OutcomeKind.REFUSED
    assert server.mails == []
    assert "RCPT" not in server.commands


def test_marketing_mail_without_the_unsubscribe_pair_is_refused(
    channel: EmailChannel, server: Server
) -> None:
    outcome = channel.send(replace(MAIL, marketing=True))
    assert outcome.kind is OutcomeKind.REFUSED
    assert "List-Unsubscribe" in outcome.detail
    assert server.connections == 0


def test_channel_without_open_sends_and_closes(channel: EmailChannel, server: Server) -> None:
    assert channel.send(MAIL).kind is OutcomeKind.ACCEPTED
    channel.close()
    channel.close()
    gc.collect()
    assert server.commands[-1] == "QUIT"


def test_address_of_a_contact_is_its_email(channel: EmailChannel) -> None:
    class Contact:
        email = "ann@example.com"

    assert channel.address_of(Contact()) == "ann@example.com"
    assert channel.address_of(object()) == ""
