"""What every channel takes, gives back and promises.

To write a channel, subclass `Channel`, set its attributes, and implement `address_of` and `send`.
Name it in `WAGTAIL_TRIGGERS_CHANNELS`. See docs/ADDING_CHANNELS.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self

from django.core.checks import CheckMessage
from django.utils.functional import Promise

from ...conf import load_backend, settings
from ...exceptions import ConfigurationError


class OutcomeKind(StrEnum):
    """What is known about a message after one attempt (engine.md, Messages)."""

    #: The provider has taken it.
    ACCEPTED = "accepted"
    #: It certainly did not leave: try again later.
    NEVER_LEFT = "never_left"
    #: The provider will not take it, now or later.
    REFUSED = "refused"
    #: Nobody knows: it may or may not be on its way.
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    Attributes:
        kind: Which of the four.
        provider_id: The provider's id of the message, for its later reports; "" if none.
        status: The provider's own word, such as anymail's "queued"; "" if none.
        detail: Why, for staff; without addresses or contents.
        retry_after: Seconds that the provider asked to wait, or None.
    """

    kind: OutcomeKind
    provider_id: str = ""
    status: str = ""
    detail: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one recipient, ready to leave. A retry carries the same bytes and key.

    Attributes:
        address: Where it goes, as the channel writes addresses.
        name: The recipient's name, may be "".
        subject: One line; "" where a channel has none.
        html: A whole document; "" where a channel has none.
        text: Plain text.
        from_email: "name@example.com" or "Name <name@example.com>".
        reply_to: As `from_email`, or "".
        headers: Further headers, in order; from `headers.build_headers`.
        message_id: The `Message-ID` with its angle brackets, the same in every attempt.
        idempotency_key: The message's public id: the provider's key, and our mark in the message.
        marketing: Its class.
        tags: For the provider's statistics.
        metadata: Given back by the provider with its reports. No personal data.
    """

    address: str
    subject: str
    text: str
    html: str = ""
    name: str = ""
    from_email: str = ""
    reply_to: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    message_id: str = ""
    idempotency_key: str = ""
    marketing: bool = False
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


class Channel(ABC):
    """A way out.

    A channel is opened once for a batch and used by one thread. `send` may be called without
    `open`; it then opens for itself.
    """

    #: The name in `WAGTAIL_TRIGGERS_CHANNELS` and on messages.
    identifier: ClassVar[str]
    #: For people.
    label: ClassVar[str | Promise]
    #: Seconds after which an attempt has certainly ended. A sender's lease is longer by 10 s.
    hard_timeout: float = 30.0
    #: Whether the provider sends only once what comes twice under one idempotency key.
    idempotent: bool = False

    def open(self) -> None:  # noqa: B027 (a channel without a connection has nothing to open)
        """Prepare for a batch. Faults show in `send`, as outcomes."""

    def close(self) -> None:  # noqa: B027 (likewise)
        """Give up what `open` took. Never raises."""

    def expect(self, outgoing: Outgoing | None) -> None:  # noqa: B027 (likewise)
        """Be told, before a `send`, what will probably be sent after it; None: nothing is known.

        A hint: what is sent next may be something else, or nothing. Never raises.
        """

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @abstractmethod
    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over one message.

        Returns:
            What became of it. A provider's fault is an outcome, never an exception.
        """

    @abstractmethod
    def address_of(self, contact: Any) -> str:
        """Where this channel reaches a contact (an object with `email`, `phone` …), or ""."""

    def checks(self) -> Sequence[CheckMessage]:
        """What the host should put right, for `manage.py check`."""
        return []


def get_channel(name: str) -> Channel:
    """Build the channel that `WAGTAIL_TRIGGERS_CHANNELS` names.

    Args:
        name: "email", or another key of the setting.

    Raises:
        ConfigurationError: There is none of this name, or it is not a `Channel`.
    """
    setting = "WAGTAIL_TRIGGERS_CHANNELS"
    specs = settings.CHANNELS
    if name not in specs:
        known = ", ".join(sorted(specs)) or "none"
        raise ConfigurationError(
            f"There is no channel {name!r} (there is: {known}). Add it to {setting} as "
            f'{name!r}: {{"BACKEND": "dotted.path.Class"}}.'
        )
    channel = load_backend(specs[name], setting=f"{setting}[{name!r}]")
    if not isinstance(channel, Channel):
        raise ConfigurationError(
            f"{setting}[{name!r}] names {type(channel).__name__}, which is not a channel. Subclass "
            "wagtail_triggers.messages.channels.base.Channel."
        )
    return channel
