"""Channels to the sink: an HTTP provider that knows idempotency keys, or can be asked, or neither.

A queryable provider makes nothing of a key, but says whether it has delivered one: its channel asks
before it hands a message over, so the engine may repeat what is in doubt.
"""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException
from typing import Any, ClassVar

from django.conf import settings

from wagtail_triggers.core.http import retry_after
from wagtail_triggers.messages.channels.base import Channel, Outcome, OutcomeKind, Outgoing


class SinkChannel(Channel):
    """POSTs each message to the sink.

    Args:
        mode: `plain`, `idempotent` or `queryable`: what its provider can do.
        pause: Seconds to sleep before each attempt, for a provider that is slow on our side.
    """

    identifier: ClassVar[str] = "email"
    label = "Sink"
    hard_timeout = 1.0

    def __init__(self, *, mode: str = "idempotent", pause: float = 0.0) -> None:
        self.mode = mode
        self.pause = pause
        self.idempotent = mode != "plain"

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand it over."""
        time.sleep(self.pause)
        key = outgoing.idempotency_key
        headers = {
            "X-Message": key,
            "X-Address": outgoing.address,
            "X-Class": "marketing" if outgoing.marketing else "transactional",
            **({"Idempotency-Key": key} if self.mode == "idempotent" else {}),
        }
        line = HTTPConnection("127.0.0.1", settings.CHAOS_SINK_PORT, timeout=self.hard_timeout)
        try:
            if self.mode == "queryable":
                line.request("GET", f"/{key}")
                with line.getresponse() as answer:
                    answer.read()
                    if answer.status == 200:
                        return Outcome(OutcomeKind.ACCEPTED, status="it had been delivered")
            line.request("POST", "/", body=outgoing.html.encode(), headers=headers)
            answer = line.getresponse()
            return _outcome(answer.status, retry_after(dict(answer.headers.items())))
        except ConnectionRefusedError as error:
            return Outcome(OutcomeKind.NEVER_LEFT, detail=str(error))
        except (OSError, HTTPException) as error:
            return Outcome(OutcomeKind.AMBIGUOUS, detail=f"{type(error).__name__}: {error}")
        finally:
            line.close()

    def address_of(self, contact: Any) -> str:
        """The contact's email address."""
        return str(contact.email)


def _outcome(status: int, wait: float | None) -> Outcome:
    kind = OutcomeKind.AMBIGUOUS
    if status < 300:
        kind = OutcomeKind.ACCEPTED
    elif status == 429 or (status == 503 and wait is not None):
        kind = OutcomeKind.NEVER_LEFT
    elif 400 <= status < 500:
        kind = OutcomeKind.REFUSED
    return Outcome(kind, status=str(status), detail=f"HTTP {status}", retry_after=wait)
