"""Email over real sockets and over anymail, on each Django that is supported."""

from __future__ import annotations

import email
import email.policy
import gc
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import django
import pytest
from anymail.exceptions import (
    AnymailAPIError,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from anymail.message import AnymailRecipientStatus
from django.core import mail
from pytest_django.fixtures import Settings

from wagtail_triggers.exceptions import ConfigurationError
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.channels.email import EmailChannel, open_backend

SMTP = "django.core.mail.backends.smtp.EmailBackend"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
ANYMAIL = "anymail.backends.test.EmailBackend"

MAIL = Outgoing(
    address="ann@example.com",
    name="Ann Ä",
    subject="Grüße",
    html="<p>Hi 👋</p>",
    text="Hi\n.dot\n..two",
    from_email="Shop <shop@example.com>",
    reply_to="help@example.com",
    message_id="<1@example.com>",
    idempotency_key="1",
    tags=("welcome",),
    metadata={"journey": "7"},
)
MARKETING = replace(
    MAIL,
    marketing=True,
    headers=(
        ("List-Unsubscribe", "<https://shop.example/u/1>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ),
)


@pytest.fixture(autouse=True)
def _deprecations_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        warnings.simplefilter("error", PendingDeprecationWarning)
        yield


def use(settings: Settings, backend: str, **options: Any) -> None:
    """Name a backend as each Django wants it."""
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    else:
        settings.EMAIL_BACKEND = backend
        for name, value in options.items():
            setattr(settings, f"EMAIL_{name.upper()}", value)


Act = str | Callable[[socket.socket], None]


def drop(connection: socket.socket) -> None:
    """Close without an answer."""
    raise ConnectionAbortedError


def stall(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    connection.settimeout(5)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass
    raise ConnectionAbortedError


def freeze(connection: socket.socket) -> None:
    """Stop reading."""
    time.sleep(1)
    raise ConnectionAbortedError


@dataclass
class Server:
    """An SMTP server that answers by a script.

    `answers` maps a command ("", EHLO, MAIL, RCPT, DATA, "." for the end of the data, RSET) to the
    acts for its successive calls; where none is left it answers as it should.
    """

    answers: dict[str, list[Act]] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    commands: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._act(connection, "", "220 ready")
                with connection.makefile("rb") as lines:
                    while line := lines.readline():
                        command = line.split()[0].decode().upper().split(":")[0]
                        self.commands.append(command)
                        if command == "DATA":
                            if self._act(connection, "DATA", "354 go").startswith("354"):
                                self._read_mail(connection, lines)
                        elif command == "QUIT":
                            connection.sendall(b"221 bye\r\n")
                            return
                        else:
                            default = "250-here\r\n250 SIZE" if command == "EHLO" else "250 ok"
                            self._act(connection, command, default)
            except OSError:
                return

    def _read_mail(self, connection: socket.socket, lines: Any) -> None:
        if self.answers.get("body"):
            self._act(connection, "body", "")
        data = b""
        while (line := lines.readline()) != b".\r\n":
            if not line:
                raise ConnectionAbortedError
            data += line[1:] if line.startswith(b".") else line
        acts = self.answers.get(".") or []
        if not acts or acts[0] in {"lost answer"} or str(acts[0]).startswith("250"):
            self.mails.append(data)
        if acts and acts[0] == "lost answer":
            acts[0] = drop
        self._act(connection, ".", "250 2.0.0 Ok: queued as ABC123")

    def _act(self, connection: socket.socket, command: str, default: str) -> str:
        acts = self.answers.get(command) or []
        act = acts.pop(0) if acts else default
        if not isinstance(act, str):
            act(connection)
            return ""
        if act:
            connection.sendall(act.encode() + b"\r\n")
        return act

    def close(self) -> None:
        self.listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
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
    server.answers = answers
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


# Any other backend


def test_other_django_backend_gets_an_ordinary_message(settings: Settings) -> None:
    use(settings, LOCMEM)
    mail.outbox = []
    with EmailChannel() as channel:
        assert channel.send(MARKETING) == Outcome(OutcomeKind.ACCEPTED, status="sent")
        assert channel.idempotent is False
    (sent,) = mail.outbox
    assert sent.to == ["Ann Ä <ann@example.com>"]
    assert sent.body == MAIL.text
    message = sent.message()
    assert message["X-WT-Id"] == "1"
    assert message["Message-ID"] == "<1@example.com>"
    assert message["List-Unsubscribe"] == "<https://shop.example/u/1>"


@pytest.fixture
def anymail(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Anymail's test backend; put an outcome in the list to have it happen."""
    use(settings, ANYMAIL)
    mail.outbox = []
    scripted: list[Any] = []
    from anymail.backends.test import EmailBackend

    original = EmailBackend.post_to_esp

    def post(self: Any, payload: Any, message: Any) -> Any:
        if scripted:
            act = scripted.pop(0)
            if isinstance(act, Exception):
                raise act
            message.anymail_test_response = act
        return original(self, payload, message)

    monkeypatch.setattr(EmailBackend, "post_to_esp", post)
    return scripted


def params_of(message: Any) -> dict[str, Any]:
    """What anymail made of a message."""
    params: dict[str, Any] = message.anymail_test_params
    return params


def status(word: str, message_id: str = "esp-1") -> dict[str, Any]:
    return {"recipient_status": {"ann@example.com": AnymailRecipientStatus(message_id, word)}}


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("sent", OutcomeKind.ACCEPTED),
        ("queued", OutcomeKind.ACCEPTED),
        ("unknown", OutcomeKind.ACCEPTED),
        ("failed", OutcomeKind.REFUSED),
        ("rejected", OutcomeKind.REFUSED),
        ("invalid", OutcomeKind.REFUSED),
    ],
)
def test_anymail_status_of_the_recipient_is_kept(
    anymail: list[Any], word: str, kind: OutcomeKind
) -> None:
    anymail.append(status(word))
    with EmailChannel() as channel:
        outcome = channel.send(MAIL)
    assert (outcome.kind, outcome.status, outcome.provider_id) == (kind, word, "esp-1")


def test_anymail_gets_tags_metadata_and_our_mark(anymail: list[Any]) -> None:
    with EmailChannel(esp_extra={"options": {"key": "{key}", "n": 1}}) as channel:
        channel.send(MAIL)
    params = params_of(mail.outbox[0])
    assert params["tags"] == ["welcome"]
    assert params["metadata"] == {"wt_id": "1", "journey": "7"}
    assert params["options"] == {"key": "1", "n": 1}
    assert dict(params["extra_headers"]) == {"X-WT-Id": "1"}
    assert [str(one) for one in params["to"]] == ["Ann Ä <ann@example.com>"]


def test_anymail_gets_the_message_id_where_the_host_says_so(anymail: list[Any]) -> None:
    with EmailChannel(message_id=True) as channel:
        channel.send(MAIL)
    params = params_of(mail.outbox[0])
    assert params["extra_headers"]["Message-ID"] == "<1@example.com>"


def test_anymail_provider_without_metadata_is_asked_again_without(anymail: list[Any]) -> None:
    anymail.append(AnymailUnsupportedFeature("no metadata"))
    with EmailChannel() as channel:
        assert channel.send(MAIL).kind is OutcomeKind.ACCEPTED
        assert channel.send(MAIL).kind is OutcomeKind.ACCEPTED
    assert ["metadata" in params_of(one) for one in mail.outbox] == [False, False]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AnymailAPIError("x", status_code=429), OutcomeKind.NEVER_LEFT),
        (AnymailAPIError("x", status_code=400), OutcomeKind.REFUSED),
        (AnymailAPIError("x", status_code=500), OutcomeKind.AMBIGUOUS),
        (AnymailAPIError("x"), OutcomeKind.AMBIGUOUS),
        (AnymailRecipientsRefused(), OutcomeKind.REFUSED),
        (ConnectionResetError(), OutcomeKind.AMBIGUOUS),
    ],
    ids=["429", "400", "500", "no-status", "refused", "reset"],
)
def test_anymail_fault_is_an_outcome(
    anymail: list[Any], error: Exception, kind: OutcomeKind
) -> None:
    anymail.append(error)
    with EmailChannel() as channel:
        assert channel.send(MAIL).kind is kind
        assert channel.send(MAIL).kind is OutcomeKind.ACCEPTED


def test_resend_takes_our_key_as_a_header(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    seen: list[tuple[str, str]] = []

    class Answer:
        status_code = 200
        headers: dict[str, str] = {}

        def json(self) -> dict[str, str]:
            return {"id": "re-1"}

    def request(self: requests.Session, **params: Any) -> Answer:
        seen.append((str(self.headers["Idempotency-Key"]), params["data"]))
        return Answer()

    monkeypatch.setattr(requests.Session, "request", request)
    use(settings, "anymail.backends.resend.EmailBackend")
    settings.ANYMAIL = {"RESEND_API_KEY": "k"}
    with EmailChannel() as channel:
        assert channel.idempotent is True
        outcome = channel.send(MAIL)
        channel.send(replace(MAIL, idempotency_key="2"))
        channel.send(MAIL)
    assert outcome == Outcome(OutcomeKind.ACCEPTED, "re-1", "queued")
    assert [key for key, _ in seen] == ["1", "2", "1"]
    assert seen[0][1] == seen[2][1]  # the same key comes with the same bytes


def test_idempotency_is_what_the_host_says() -> None:
    assert EmailChannel(idempotent=True).idempotent is True
    assert EmailChannel(idempotent=False, idempotency_header="X").idempotent is False
    assert EmailChannel(idempotency_header="X").idempotent is True


# Configuration


@pytest.mark.skipif(django.VERSION < (6, 1), reason="MAILERS came with Django 6.1")
def test_mailer_by_name_is_used(settings: Settings) -> None:
    settings.MAILERS = {
        "default": {"BACKEND": "no.such.Backend"},
        "marketing": {"BACKEND": LOCMEM},
    }
    mail.outbox = []
    assert EmailChannel(mailer="marketing").send(MAIL).kind is OutcomeKind.ACCEPTED
    assert len(mail.outbox) == 1
    with pytest.raises(ConfigurationError, match="MAILERS does not define"):
        open_backend("nope")
    with pytest.raises(ConfigurationError, match="for Django before"):
        open_backend(backend=LOCMEM)


@pytest.mark.skipif(django.VERSION >= (6, 1), reason="Django 6.1 has MAILERS")
def test_backend_by_path_is_used(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "no.such.Backend"
    mail.outbox = []
    assert EmailChannel(backend=LOCMEM).send(MAIL).kind is OutcomeKind.ACCEPTED
    assert len(mail.outbox) == 1
    with pytest.raises(ConfigurationError, match=r"needs Django 6\.1"):
        open_backend("marketing")


def test_backend_that_cannot_be_built_has_never_left_and_fails_the_check(
    settings: Settings,
) -> None:
    use(settings, "no.such.Backend")
    channel = EmailChannel()
    assert channel.send(MAIL).kind is OutcomeKind.NEVER_LEFT
    assert [one.id for one in channel.checks()] == ["wagtail_triggers.E021"]


def test_check_warns_of_mail_in_the_clear(settings: Settings) -> None:
    use(settings, SMTP, host="smtp.example.com", port=25)
    assert [one.id for one in EmailChannel().checks()] == ["wagtail_triggers.W021"]
    use(settings, SMTP, host="127.0.0.1", port=25)
    assert EmailChannel().checks() == []
