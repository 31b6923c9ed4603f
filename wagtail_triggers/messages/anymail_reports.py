"""Anymail's tracking signal, as reports.

Anymail verifies the webhook and makes one shape of what every provider says. What it leaves to the
provider's own words is read here: whether a bounce is for ever, and whether a machine did it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any, Final

from django.db import DatabaseError

from ..consent.models import Suppression
from .models import MessageEvent
from .reports import Report, record

logger = logging.getLogger("wagtail_triggers.reports")

Kind = MessageEvent.Kind

#: Anymail's words, in ours.
KINDS: Final[Mapping[str, str]] = {
    "queued": Kind.SENT,
    "sent": Kind.SENT,
    "delivered": Kind.DELIVERED,
    "deferred": Kind.DEFERRED,
    "bounced": Kind.BOUNCED,
    "rejected": Kind.REJECTED,
    "failed": Kind.REJECTED,
    "complained": Kind.COMPLAINED,
    "unsubscribed": Kind.UNSUBSCRIBED,
    "opened": Kind.OPENED,
    "clicked": Kind.CLICKED,
}

#: Fields in which providers say what sort of bounce it is, in lower case without underscores.
_SORT_FIELDS: Final = frozenset(
    {"event", "eventname", "type", "bouncetype", "severity", "status", "recordtype"}
)
_FOR_EVER: Final = frozenset(
    {"hardbounce", "hardbounced", "activity.hardbounced", "permanent", "bademailaddress"}
)
_FOR_NOW: Final = frozenset(
    {"softbounce", "softbounced", "activity.softbounced", "transient", "temporary", "undetermined"}
)
#: Enhanced status codes that say that there is no such address (RFC 3463, 3.2; RFC 7505).
_NO_SUCH_ADDRESS: Final = ("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10")
#: True where SendGrid and SparkPost know a machine; Mailgun names the bot.
_MACHINE_FIELDS: Final = frozenset({"sgmachineopen", "isprefetched", "bot"})
_MACHINE_EVENTS: Final = frozenset({"proxyopen", "uniqueproxyopen", "loadedbyproxy"})


def connect() -> None:
    """Listen to Anymail, where it is installed. Called once from `AppConfig.ready()`."""
    if find_spec("anymail") is None:
        return
    from anymail.signals import tracking

    tracking.connect(receive, dispatch_uid="wagtail_triggers.reports")


def receive(sender: Any, event: Any, esp_name: str, **kwargs: Any) -> None:
    """Store what Anymail tells, in one statement.

    What cannot be understood is logged and answered with success: the provider would only send it
    again. A database that fails is an error, so that the provider does send it again.
    """
    try:
        report = report_of(event, esp_name)
    except DatabaseError:
        raise
    except Exception:  # whatever a provider sends must not fail its webhook
        logger.exception("A report of %s could not be understood; it is left out", esp_name)
        return
    record([report])


def report_of(event: Any, esp_name: str) -> Report:
    """An `AnymailTrackingEvent` in our words."""
    said = list(_said(event.esp_event))
    kind = KINDS.get(str(event.event_type), Kind.OTHER)
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    words = " ".join(str(part) for part in (event.description, event.mta_response) if part)
    return Report(
        kind=kind,
        provider=str(esp_name),
        at=event.timestamp if isinstance(event.timestamp, datetime) else None,
        event_id=str(event.event_id or ""),
        public_id=str(metadata.get("wt_id") or ""),
        provider_message_id=str(event.message_id or ""),
        detail=words,
        url=str(event.click_url or ""),
        machine=_by_machine(said),
        stops=_stops(kind, str(event.reject_reason or ""), words, said),
        body=json.dumps(said, default=str),
    )


def _stops(kind: str, reason: str, words: str, said: list[tuple[str, Any]]) -> str:
    if kind == Kind.BOUNCED and (reason == "invalid" or _is_for_ever(words, said)):
        return Suppression.Reason.BOUNCED
    if kind == Kind.REJECTED:
        # The provider would not even try: it remembers an earlier bounce, or sees no address.
        return {
            "invalid": Suppression.Reason.BOUNCED,
            "bounced": Suppression.Reason.BOUNCED,
            "spam": Suppression.Reason.COMPLAINED,
        }.get(reason, "")
    return ""


def _is_for_ever(words: str, said: list[tuple[str, Any]]) -> bool:
    """Whether a bounce will be the same tomorrow; in doubt it will not.

    To stop an address that works loses a customer who wants to be written to. One that does not
    work bounces again, and the provider has a list of its own.
    """
    sorts = {_plain(str(value)) for name, value in said if name in _SORT_FIELDS}
    if sorts & _FOR_NOW:
        return False
    if sorts & _FOR_EVER or ("hardbounce", True) in said:
        return True
    texts = [words, *(str(value) for name, value in said if name == "status")]
    codes = {part.strip("#():;,") for text in texts for part in text.replace("-", " ").split()}
    return bool(codes & set(_NO_SUCH_ADDRESS))


def _by_machine(said: list[tuple[str, Any]]) -> bool:
    for name, value in said:
        if name in _MACHINE_FIELDS and value not in (None, False, "", "false", "none"):
            return True
        if name in _SORT_FIELDS and _plain(str(value)) in _MACHINE_EVENTS:
            return True
    return False


def _said(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every single value of a provider's words with the name of its field, plain."""
    if isinstance(value, Mapping) and depth < 6:
        for key, one in value.items():
            yield from _said(one, _plain(str(key)), depth + 1)
    elif isinstance(value, list | tuple) and depth < 6:
        for one in value:
            yield from _said(one, name, depth + 1)
    elif isinstance(value, str | int | float | bool):
        yield name, value


def _plain(text: str) -> str:
    return text.replace("_", "").replace("-", "").lower()
