"""Email, over any backend that Django knows: its own SMTP, anymail's providers, a host's own.

One recipient per message. Over Django's SMTP backend the mail's bytes are ours (`mime.py`), and so
is the dialogue (`smtp.py`); any other backend gets an ordinary `EmailMultiAlternatives`.
"""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import django
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SMTPBackend
from django.utils.translation import gettext_lazy as _

from ...exceptions import ConfigurationError
from ..headers import (
    MARK,
    HeaderProblem,
    MarketingMailIncomplete,
    ascii_address,
    require_marketing_headers,
    split_address,
    unicode_address,
)
from ..mime import build_mail
from .base import Channel, Outcome, OutcomeKind, Outgoing
from .faults import classify
from .smtp import Dialogue, Envelope, scrubbed

logger = logging.getLogger("wagtail_triggers.channels.email")

#: Providers that send only once what comes twice under one key, and the HTTP header it goes in.
IDEMPOTENCY_HEADERS: Final[Mapping[str, str]] = {"Resend": "Idempotency-Key"}
#: anymail's words for a message that the provider will not deliver.
_NOT_TAKEN: Final = frozenset({"invalid", "rejected", "failed"})
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1", ""})


def open_backend(mailer: str = "default", backend: str = "") -> BaseEmailBackend:
    """A mail backend: the one place that knows which Django is installed.

    Args:
        mailer: A name in `MAILERS` (Django 6.1 and later).
        backend: The dotted path of a backend, for a Django without `MAILERS`.

    Raises:
        ConfigurationError: There is no such mailer.
    """
    if django.VERSION >= (6, 1):
        from django.core.mail import mailers

        if backend:
            raise ConfigurationError(
                "The email channel's option `backend` is for Django before 6.1. Define the backend "
                "in MAILERS, and name it in the option `mailer`."
            )
        if mailer != "default" and mailer not in mailers:
            raise ConfigurationError(
                f"The email channel's option `mailer` is {mailer!r}, which MAILERS does not define."
            )
        found: BaseEmailBackend = mailers[mailer]
        return found
    from django.core.mail import get_connection

    if mailer != "default":
        raise ConfigurationError(
            "The email channel's option `mailer` needs Django 6.1. Name a backend's dotted path in "
            "the option `backend` instead."
        )
    connection: BaseEmailBackend = get_connection(backend or None)
    return connection


class EmailChannel(Channel):
    """Email.

    Options, all of them optional:
        mailer: A name in `MAILERS`.
        backend: A backend's dotted path, on a Django without `MAILERS`.
        timeout: Seconds for one network operation over SMTP.
        hard_timeout: Seconds after which an attempt has ended.
        idempotent: Whether the provider makes one of two messages with the same key. Known for
            the providers in `IDEMPOTENCY_HEADERS`; say True for an own relay that looks at
            `X-WT-Id`.
        idempotency_header: The HTTP header that takes the key, for an anymail provider.
        esp_extra: anymail's `esp_extra`; "{key}" in its texts becomes the key.
        message_id: Whether `Message-ID` is handed to an anymail provider; several refuse it.
    """

    identifier: ClassVar[str] = "email"
    label = _("Email")

    def __init__(
        self,
        *,
        mailer: str = "default",
        backend: str = "",
        timeout: float = 10.0,
        hard_timeout: float = 30.0,
        idempotent: bool | None = None,
        idempotency_header: str | None = None,
        esp_extra: Mapping[str, Any] | None = None,
        message_id: bool = False,
    ) -> None:
        self.mailer = mailer
        self.backend_path = backend
        self.timeout = timeout
        self.hard_timeout = hard_timeout
        self.esp_extra = esp_extra or {}
        self.message_id = message_id
        self._backend: BaseEmailBackend | None = None
        #: Whether the provider takes tags and metadata; learnt from its first refusal.
        self._takes_labels = True
        self._idempotent = idempotent
        self._idempotency_header = idempotency_header
        #: What comes after the next `send`, as far as anybody knows, and how it will leave.
        self._expected: Outgoing | None = None
        self._built: tuple[Outgoing, Envelope, bytes] | None = None
        #: An envelope that the mail server has been told, and of which it awaits the mail.
        self._opened: Envelope | None = None

    @property
    def idempotent(self) -> bool:  # type: ignore[override]  # depends on the provider
        """Whether the provider sends only once what comes twice under one key."""
        if self._idempotent is not None:
            return self._idempotent
        return bool(self.idempotency_header)

    @property
    def idempotency_header(self) -> str:
        """The HTTP header that takes the key, or ""."""
        if self._idempotency_header is not None:
            return self._idempotency_header
        return IDEMPOTENCY_HEADERS.get(self._esp_name, "")

    @property
    def _esp_name(self) -> str:
        try:
            return str(getattr(self._made(), "esp_name", ""))
        except (ConfigurationError, ImproperlyConfigured):
            # `send` and `checks` say what is wrong; to ask for a property must not fail.
            return ""

    def _made(self) -> BaseEmailBackend:
        if self._backend is None:
            try:
                self._backend = open_backend(self.mailer, self.backend_path)
            except ImportError as error:
                raise ConfigurationError(f"The mail backend cannot be imported: {error}") from error
        return self._backend

    def open(self) -> None:
        """Open the connection for a batch. A fault shows again, as an outcome, in `send`."""
        try:
            self._connect(self._made())
        except (OSError, ImproperlyConfigured, ConfigurationError) as error:
            logger.warning("The mail connection could not be opened: %s", type(error).__name__)
            self._drop()

    def close(self) -> None:
        """Close the connection."""
        self._expected = self._built = None
        if self._opened is not None:
            self._drop()  # whatever is said now, the server would take for a part of a mail
        if self._backend is None:
            return
        try:
            self._backend.close()
        except Exception:  # a host's backend may raise what it likes, and nothing depends on it
            logger.warning("The mail connection could not be closed", exc_info=True)
        self._backend = None

    def expect(self, outgoing: Outgoing | None) -> None:
        """Note what follows, so that a mail server can be told of it with the mail before."""
        self._expected = outgoing

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one mail to the backend.

        A marketing mail without its List-Unsubscribe pair is refused here too, whoever built it.
        """
        try:
            if outgoing.marketing:
                require_marketing_headers(outgoing.headers)
            backend = self._made()
            if isinstance(backend, SMTPBackend) and _dialogue_is_djangos(backend):
                return self._send_smtp(backend, outgoing)
            return self._send_django(backend, outgoing)
        except (HeaderProblem, MarketingMailIncomplete) as error:
            logger.error("A mail cannot leave as it was built: %s", error)
            return Outcome(OutcomeKind.REFUSED, detail=str(error))
        except (ImproperlyConfigured, ConfigurationError) as error:
            logger.error("The mail backend is not usable: %s", scrubbed(str(error)))
            return Outcome(OutcomeKind.NEVER_LEFT, detail=scrubbed(str(error)))

    def address_of(self, contact: Any) -> str:
        """The contact's email address."""
        return str(getattr(contact, "email", "") or "")

    # SMTP

    def _send_smtp(self, backend: SMTPBackend, outgoing: Outgoing) -> Outcome:
        envelope, data = self._mail(outgoing)
        then = self._next_envelope()
        deadline = time.monotonic() + self.hard_timeout
        kept = backend.connection is not None
        outcome, stale = self._attempt(backend, envelope, data, then, deadline)
        if stale and kept:
            # The server had closed an idle connection; nothing of this mail has left.
            outcome, _stale = self._attempt(backend, envelope, data, then, deadline)
        return outcome

    def _mail(self, outgoing: Outgoing) -> tuple[Envelope, bytes]:
        if self._built is not None and self._built[0] is outgoing:
            return self._built[1:]
        data = build_mail(outgoing)
        _name, sender = split_address(outgoing.from_email)
        return Envelope(sender, ascii_address(outgoing.address), len(data)), data

    def _next_envelope(self) -> Envelope | None:
        """The envelope of what is expected, which is built for it; None where that fails."""
        expected, self._expected, self._built = self._expected, None, None
        if expected is None:
            return None
        try:
            if expected.marketing:
                require_marketing_headers(expected.headers)
            self._built = (expected, *self._mail(expected))
        except (HeaderProblem, MarketingMailIncomplete):
            return None  # its own `send` says so
        return self._built[1]

    def _attempt(
        self,
        backend: SMTPBackend,
        envelope: Envelope,
        data: bytes,
        then: Envelope | None,
        deadline: float,
    ) -> tuple[Outcome, bool]:
        """One attempt: its outcome, and whether the connection was gone before the mail began."""
        opened, self._opened = self._opened, None
        if opened is not None and opened != envelope:
            self._drop()  # another mail than the one that was expected
            opened = None
        try:
            self._connect(backend)
        except OSError as error:  # smtplib's exceptions are too
            self._drop()
            return classify(error, connected=False), False
        smtp = backend.connection
        if smtp is None:
            # A backend that fails silently says nothing more.
            return Outcome(OutcomeKind.NEVER_LEFT, detail="The mail server was not reached"), False
        dialogue = Dialogue(smtp, self.timeout, deadline, opened=opened)
        try:
            outcome = dialogue.hand_over(envelope, data, then)
        except OSError as error:  # smtplib's exceptions are too
            self._drop()
            kind = OutcomeKind.AMBIGUOUS if dialogue.sent_all else OutcomeKind.NEVER_LEFT
            stale = isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError)
            detail = scrubbed(f"{type(error).__name__}: {error}")
            return Outcome(kind, detail=detail), stale and not dialogue.sent_all
        if smtp.sock is None:
            self._drop()
        else:
            self._opened = dialogue.opened
        return outcome, False

    def _connect(self, backend: BaseEmailBackend) -> None:
        if isinstance(backend, SMTPBackend) and backend.timeout is None:
            # Without a timeout smtplib waits for ever, and the lease would end before the attempt.
            backend.timeout = self.timeout
        backend.open()

    def _drop(self) -> None:
        """Forget a broken connection without a word to the server; the next send opens anew."""
        self._opened = None
        backend = self._backend
        if isinstance(backend, SMTPBackend):
            # A failed login or STARTTLS leaves the half-made connection under the second name.
            for name in ("connection", "_partial_connection"):
                held = getattr(backend, name, None)
                if held is not None:
                    held.close()
                    setattr(backend, name, None)
        else:
            self.close()

    # Any other backend

    def _send_django(self, backend: BaseEmailBackend, outgoing: Outgoing) -> Outcome:
        try:
            self._connect(backend)
        except Exception as error:
            self.close()
            return classify(error, connected=False)
        message = self._message(outgoing)
        self._give_key(backend, outgoing)
        try:
            count = backend.send_messages([message])
        except Exception as error:
            if type(error).__name__ == "AnymailUnsupportedFeature" and self._takes_labels:
                logger.warning("The provider takes no tags or metadata; they are left out")
                self._takes_labels = False
                return self._send_django(backend, outgoing)
            outcome = _of_status(message, outgoing.address, classify(error))
            if outcome.kind in {OutcomeKind.AMBIGUOUS, OutcomeKind.NEVER_LEFT}:
                self.close()
            return outcome
        if count == 0:
            return Outcome(OutcomeKind.REFUSED, detail="The mail backend sent nothing")
        return _of_status(message, outgoing.address, Outcome(OutcomeKind.ACCEPTED, status="sent"))

    def _message(self, outgoing: Outgoing) -> EmailMultiAlternatives:
        headers = dict(outgoing.headers)
        if outgoing.idempotency_key:
            headers[MARK] = outgoing.idempotency_key
        anymail = bool(self._esp_name)
        if outgoing.message_id and (self.message_id or not anymail):
            headers["Message-ID"] = outgoing.message_id
        message = EmailMultiAlternatives(
            subject=outgoing.subject,
            body=outgoing.text,
            from_email=unicode_address(*split_address(outgoing.from_email)),
            to=[unicode_address(outgoing.name, ascii_address(outgoing.address))],
            reply_to=[unicode_address(*split_address(outgoing.reply_to))]
            if outgoing.reply_to
            else None,
            headers=headers,
        )
        if outgoing.html:
            message.attach_alternative(outgoing.html, "text/html")
        if anymail:
            self._label(message, outgoing)
        return message

    def _label(self, message: EmailMultiAlternatives, outgoing: Outgoing) -> None:
        """Anymail's own attributes."""
        labels: dict[str, Any] = {}
        if self._takes_labels:
            metadata = {"wt_id": outgoing.idempotency_key} if outgoing.idempotency_key else {}
            labels["metadata"] = {**metadata, **outgoing.metadata}
            labels["tags"] = list(outgoing.tags)
        if self.esp_extra:
            labels["esp_extra"] = _filled(self.esp_extra, outgoing.idempotency_key)
        for name, value in labels.items():
            if value:
                setattr(message, name, value)

    def _give_key(self, backend: BaseEmailBackend, outgoing: Outgoing) -> None:
        """The key as an HTTP header, which only the session can carry."""
        session = getattr(backend, "session", None)
        if self.idempotency_header and session is not None:
            session.headers.pop(self.idempotency_header, None)
            if outgoing.idempotency_key:
                session.headers[self.idempotency_header] = outgoing.idempotency_key

    def checks(self) -> Sequence[CheckMessage]:
        """E021: no usable backend. W021: mails cross the network in the clear."""
        try:
            backend = self._made()
        except Exception as error:
            return [
                Error(
                    f"The email channel has no usable backend: {error}",
                    hint="Set EMAIL_BACKEND, or MAILERS from Django 6.1 on.",
                    id="wagtail_triggers.E021",
                )
            ]
        if (
            isinstance(backend, SMTPBackend)
            and not (backend.use_tls or backend.use_ssl)
            and backend.host not in _LOCAL_HOSTS
        ):
            return [
                Warning(
                    f"Mails go to {backend.host} without encryption.",
                    hint="Set EMAIL_USE_TLS or EMAIL_USE_SSL (from Django 6.1 on: in MAILERS).",
                    id="wagtail_triggers.W021",
                )
            ]
        return []


def _dialogue_is_djangos(backend: SMTPBackend) -> bool:
    """Whether a subclass of Django's SMTP backend only changes how it connects."""
    return all(
        getattr(type(backend), name) is getattr(SMTPBackend, name)
        for name in ("send_messages", "_send")
    )


def _of_status(message: EmailMultiAlternatives, address: str, otherwise: Outcome) -> Outcome:
    """Anymail's status of the one recipient, where there is one."""
    status = getattr(message, "anymail_status", None)
    recipients = getattr(status, "recipients", None) or {}
    found = recipients.get(ascii_address(address)) or next(iter(recipients.values()), None)
    if found is None or found.status is None:
        return otherwise
    taken = found.status not in _NOT_TAKEN
    return Outcome(
        OutcomeKind.ACCEPTED if taken else OutcomeKind.REFUSED,
        provider_id="" if found.message_id is None else str(found.message_id),
        status=str(found.status),
        detail="" if taken else f"The provider calls the recipient {found.status}",
    )


def _filled(extra: Any, key: str) -> Any:
    if isinstance(extra, Mapping):
        return {name: _filled(value, key) for name, value in extra.items()}
    return extra.replace("{key}", key) if isinstance(extra, str) else extra
