"""What becomes of a message after an attempt. Pure: an outcome in, a new state out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from .channels.base import Outcome, OutcomeKind
from .models import Message, MessageClass

#: First wait and longest wait between attempts that never left us.
FIRST_RETRY: Final = timedelta(seconds=30)
LONGEST_RETRY: Final = timedelta(hours=1)
#: How long a provider's report may take to tell what became of an ambiguous attempt.
AWAIT_REPORT: Final = timedelta(minutes=15)

TOO_LATE: Final = gettext_noop("The provider could not be reached until it was too late.")
UNKNOWN: Final = gettext_noop("Nobody knows whether it left; it is not repeated.")


@dataclass(frozen=True, slots=True)
class Settlement:
    """The new state of a message, as the sender writes it."""

    state: str
    reason: str = ""
    due_at: datetime | None = None
    #: In the place of `due_at`, where it is put aside until somebody lets it go.
    held_due_at: datetime | None = None
    provider_id: str = ""
    provider_status: str = ""
    ambiguous: int = 0
    terminal: bool = True


def settle(message: Message, outcome: Outcome, *, idempotent: bool, moment: datetime) -> Settlement:
    """What the outcome of an attempt means for the message.

    Args:
        message: As it was when it was handed over; `attempts` counts this attempt.
        idempotent: Whether the channel's provider sends only once what comes twice.
        moment: Now.
    """
    match outcome.kind:
        case OutcomeKind.ACCEPTED:
            return Settlement(
                Message.State.ACCEPTED,
                outcome.detail[:255],
                provider_id=outcome.provider_id[:255],
                provider_status=outcome.status[:64],
                ambiguous=message.ambiguous,
            )
        case OutcomeKind.REFUSED:
            return Settlement(
                Message.State.FAILED,
                outcome.detail[:255],
                provider_status=outcome.status[:64],
                ambiguous=message.ambiguous,
            )
        case OutcomeKind.NEVER_LEFT:
            return _again(message, outcome, moment)
        case OutcomeKind.AMBIGUOUS:
            return unknown(message, idempotent=idempotent, moment=moment, detail=outcome.detail)


def unknown(
    message: Message, *, idempotent: bool, moment: datetime, detail: str = ""
) -> Settlement:
    """What a message becomes whose last attempt may or may not have reached the provider."""
    wait = FIRST_RETRY if idempotent else AWAIT_REPORT
    return Settlement(
        Message.State.UNKNOWN,
        detail[:255],
        due_at=moment + wait,
        ambiguous=message.ambiguous + 1,
        terminal=False,
    )


def may_repeat(message: Message, *, idempotent: bool) -> bool:
    """Whether a message whose outcome is unknown is sent again, with the same key and bytes.

    A provider that knows the key makes one of two. Elsewhere the side is chosen by class:
    marketing at most once, transactional at least once: it is repeated one time.
    """
    if idempotent:
        return True
    return message.message_class == MessageClass.TRANSACTIONAL and message.ambiguous == 1


def _again(message: Message, outcome: Outcome, moment: datetime) -> Settlement:
    """Exponential with full jitter; what the provider asked for is obeyed; never past the end."""
    if outcome.retry_after is not None:
        wait = timedelta(seconds=max(0.0, outcome.retry_after))
    else:
        longest = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(message.attempts, 10))
        wait = longest * random.random()  # noqa: S311 - jitter, not a secret
    due = moment + wait
    if message.expires_at is not None and due >= message.expires_at:
        return Settlement(Message.State.EXPIRED, TOO_LATE, ambiguous=message.ambiguous)
    return Settlement(
        Message.State.RETRY,
        outcome.detail[:255],
        due_at=due,
        ambiguous=message.ambiguous,
        terminal=False,
    )
