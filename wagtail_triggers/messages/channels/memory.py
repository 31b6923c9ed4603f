"""A channel that keeps what it is given: for tests, of ours and of hosts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

from django.utils.translation import gettext_lazy as _

from .base import Channel, Outcome, OutcomeKind, Outgoing

#: What a scripted fault may be: an outcome, or a function of the message.
Fault = Outcome | Callable[[Outgoing], Outcome | None]

#: Everything that was delivered in this process, in order.
outbox: Final[list[Outgoing]] = []
#: Every attempt, delivered or not.
attempts: Final[list[Outgoing]] = []
_faults: Final[deque[Fault]] = deque()
_delivered: Final[set[str]] = set()


def clear() -> None:
    """Forget everything that was sent, and all scripted faults."""
    outbox.clear()
    attempts.clear()
    _faults.clear()
    _delivered.clear()


def script(faults: Iterable[Fault]) -> None:
    """Say what becomes of the next attempts.

    Args:
        faults: One for each attempt. An outcome that is accepted, or a function that returns None,
            lets the message through. An AMBIGUOUS outcome whose `status` is "delivered" delivers
            and does not say so, as a provider that answers too late.
    """
    _faults.extend(faults)


class MemoryChannel(Channel):
    """Keeps messages in `outbox`."""

    identifier: ClassVar[str] = "memory"
    label = _("Memory (for tests)")
    hard_timeout = 1.0

    def __init__(self, *, idempotent: bool = True, identifier: str = "memory") -> None:
        """
        Args:
            idempotent: Whether a second message with the same key is accepted, but not kept.
            identifier: The name of the channel that it stands in for.
        """
        self.idempotent = idempotent
        self.stands_for = identifier

    def send(self, outgoing: Outgoing) -> Outcome:
        """Keep the message, or do what the script says."""
        attempts.append(outgoing)
        fault = _faults.popleft() if _faults else None
        outcome = fault(outgoing) if callable(fault) else fault
        delivers = outcome is None or outcome.kind is OutcomeKind.ACCEPTED
        if delivers or (outcome is not None and outcome.status == "delivered"):
            self._deliver(outgoing)
        return outcome or Outcome(
            OutcomeKind.ACCEPTED, provider_id=f"memory-{outgoing.idempotency_key}", status="sent"
        )

    def _deliver(self, outgoing: Outgoing) -> None:
        if self.idempotent and outgoing.idempotency_key:
            if outgoing.idempotency_key in _delivered:
                return
            _delivered.add(outgoing.idempotency_key)
        outbox.append(outgoing)

    def address_of(self, contact: Any) -> str:
        """The contact's email address."""
        return str(getattr(contact, "email", "") or "")
