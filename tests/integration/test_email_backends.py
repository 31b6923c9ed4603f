"""Email over anymail and any other backend, on each Django that is supported."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
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
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind
from wagtail_triggers.messages.channels.email import EmailChannel, open_backend

from .mails import ANYMAIL, LOCMEM, MAIL, MARKETING, SMTP, use


@pytest.fixture(autouse=True)
def _deprecations_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        warnings.simplefilter("error", PendingDeprecationWarning)
        yield


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
        seen.append((str(self.headers.get("Idempotency-Key", "")), params["data"]))
        return Answer()

    monkeypatch.setattr(requests.Session, "request", request)
    use(settings, "anymail.backends.resend.EmailBackend")
    settings.ANYMAIL = {"RESEND_API_KEY": "k"}
    with EmailChannel() as channel:
        assert channel.idempotent is True
        outcome = channel.send(MAIL)
        channel.send(replace(MAIL, idempotency_key="2"))
        channel.send(MAIL)
        channel.send(replace(MAIL, idempotency_key=""))
    assert outcome == Outcome(OutcomeKind.ACCEPTED, "re-1", "queued")
    assert [key for key, _ in seen] == ["1", "2", "1", ""]
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
    assert channel.idempotent is False
    assert channel.send(MAIL).kind is OutcomeKind.NEVER_LEFT
    assert [one.id for one in channel.checks()] == ["wagtail_triggers.E021"]


def test_check_warns_of_mail_in_the_clear(settings: Settings) -> None:
    use(settings, SMTP, host="smtp.example.com", port=25)
    assert [one.id for one in EmailChannel().checks()] == ["wagtail_triggers.W021"]
    use(settings, SMTP, host="127.0.0.1", port=25)
    assert EmailChannel().checks() == []
