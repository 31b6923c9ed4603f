"""A channel to the sink: an HTTP provider with idempotency keys."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from typing import Any, ClassVar

from wagtail_triggers.messages.channels.base import Channel, Outcome, OutcomeKind, Outgoing


class SinkChannel(Channel):
    """POSTs each message to the sink.

    Args:
        port: The sink's.
        keyed: Whether the idempotency key goes along, as it should.
    """

    identifier: ClassVar[str] = "email"
    label = "Sink"
    hard_timeout = 1.0

    def __init__(self, *, port: int, keyed: bool = True) -> None:
        self.port = port
        self.idempotent = keyed

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand it over."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=self.hard_timeout)
        headers = {"X-Message": outgoing.idempotency_key}
        if self.idempotent:
            headers["Idempotency-Key"] = outgoing.idempotency_key
        try:
            line.request("POST", "/", body=outgoing.html.encode(), headers=headers)
            status = line.getresponse().status
        except ConnectionRefusedError as error:
            return Outcome(OutcomeKind.NEVER_LEFT, detail=str(error))
        except (OSError, HTTPException) as error:
            return Outcome(OutcomeKind.AMBIGUOUS, detail=f"{type(error).__name__}: {error}")
        finally:
            line.close()
        kind = OutcomeKind.ACCEPTED if status < 300 else OutcomeKind.REFUSED
        return Outcome(kind, status=str(status))

    def address_of(self, contact: Any) -> str:
        """The contact's email address."""
        return str(contact.email)
