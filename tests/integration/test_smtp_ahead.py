"""The next mail's envelope travels with the end of the one before, and never makes a mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.channels.email import EmailChannel
from wagtail_triggers.messages.channels.smtp import Dialogue

from .mails import MAIL, SMTP, use
from .scripted_smtp import Act, Server, drop, freeze

ACCEPTED, REFUSED = OutcomeKind.ACCEPTED, OutcomeKind.REFUSED
NEVER_LEFT, AMBIGUOUS = OutcomeKind.NEVER_LEFT, OutcomeKind.AMBIGUOUS


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(pipelining=True)
    yield made
    made.close()


@pytest.fixture
def channel(settings: Settings, server: Server) -> Iterator[EmailChannel]:
    use(settings, SMTP, host="127.0.0.1", port=server.port)
    made = EmailChannel(timeout=0.5, hard_timeout=3)
    yield made
    made.close()


def mails(count: int) -> list[Outgoing]:
    """Mails to people of their own."""
    return [
        replace(MAIL, address=f"p{n}@example.com", message_id=f"<{n}@x.example>", text=f"mail {n}")
        for n in range(count)
    ]


def send_all(channel: EmailChannel, outgoing: list[Outgoing]) -> list[Outcome]:
    """Send them as the sender does."""
    found = []
    for one, then in zip(outgoing, [*outgoing[1:], None], strict=True):
        channel.expect(then)
        found.append(channel.send(one))
    return found


def who_got(server: Server) -> list[str]:
    """Of each mail that the server has: whose text it is."""
    return [f"mail {n}" for data in server.mails for n in range(9) if b"mail %d" % n in data]


def test_mails_that_are_expected_leave_in_one_piece_each(
    channel: EmailChannel, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    send = Dialogue._send

    def noted(dialogue: Dialogue, payload: bytes, behind_the_dot: int | None = None) -> None:
        sent.append(payload)
        send(dialogue, payload, behind_the_dot)

    monkeypatch.setattr(Dialogue, "_send", noted)
    with channel:
        outcomes = send_all(channel, mails(3))
    assert [outcome.kind for outcome in outcomes] == [ACCEPTED] * 3
    assert who_got(server) == ["mail 0", "mail 1", "mail 2"]
    assert server.connections == 1
    assert len(sent) == 4
    assert sent[0].startswith(b"MAIL FROM:")
    assert sent[1].split(b"\r\n.\r\n")[1].startswith(b"MAIL FROM:")
    assert sent[3].endswith(b"\r\n.\r\n")


def test_mail_that_was_not_expected_leaves_and_the_open_envelope_makes_none(
    channel: EmailChannel, server: Server
) -> None:
    first, stopped, last = mails(3)
    with channel:
        channel.expect(stopped)
        assert channel.send(first).kind is ACCEPTED
        channel.expect(None)
        assert channel.send(last).kind is ACCEPTED
    assert who_got(server) == ["mail 0", "mail 2"]
    assert server.connections == 2


def test_closing_with_an_open_envelope_says_nothing_that_could_be_mail(
    channel: EmailChannel, server: Server
) -> None:
    first, never = mails(2)
    with channel:
        channel.expect(never)
        assert channel.send(first).kind is ACCEPTED
    assert who_got(server) == ["mail 0"]
    assert "QUIT" not in server.commands


@pytest.mark.parametrize(
    ("answers", "kinds", "got", "connections"),
    [
        # The next one's recipient is refused: that is its own outcome, not the one before's.
        ({"RCPT": ["250 ok", "550 who"]}, [ACCEPTED, REFUSED, ACCEPTED], [0, 2], 1),
        # The mail is refused after its dot; the next one's envelope is open all the same.
        ({".": ["554 no"]}, [REFUSED, ACCEPTED, ACCEPTED], [1, 2], 1),
        # The server leaves between two mails: the next goes over a connection of its own.
        ({"MAIL": ["250 ok", drop]}, [ACCEPTED, ACCEPTED, ACCEPTED], [0, 1, 2], 2),
        # The answer is lost: nobody knows, and the next one is not drawn into it.
        ({".": ["lost answer"]}, [AMBIGUOUS, ACCEPTED, ACCEPTED], [0, 1, 2], 2),
    ],
)
def test_fault_beside_an_open_envelope_stays_with_its_own_mail(
    answers: dict[str, list[Act]],
    kinds: list[OutcomeKind],
    got: list[int],
    connections: int,
    channel: EmailChannel,
    server: Server,
) -> None:
    server.answers = answers
    with channel:
        assert [outcome.kind for outcome in send_all(channel, mails(3))] == kinds
    assert who_got(server) == [f"mail {n}" for n in got]
    assert server.connections == connections


def test_mail_that_does_not_leave_whole_has_never_left_whatever_follows(
    channel: EmailChannel, server: Server
) -> None:
    server.answers = {"body": [freeze]}
    large, then = replace(MAIL, text="x" * 8_000_000), mails(1)[0]
    channel.expect(then)
    assert channel.send(large).kind is NEVER_LEFT
    assert server.mails == []
