"""The door for events: check them, then insert them in the caller's own transaction."""

from __future__ import annotations

import difflib
import uuid
from datetime import datetime
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from ..conf import TASK_ROUTE
from ..contacts.identities import Who
from ..core import sites
from ..core.queue import nudge
from ..exceptions import InvalidEvent
from . import outbox
from .checking import MAX_PAYLOAD_BYTES, checked_payload
from .types import EventType, event_types

#: A chain of journeys that start each other is cut here.
MAX_DEPTH: Final = 8


def track(
    name: str,
    *,
    contact: Any,
    key: str | int = "",
    payload: dict[str, Any] | None = None,
    occurred_at: datetime | None = None,
    dedupe_key: str | None = None,
    site: Any = None,
    source: str = "shop",
) -> bool:
    """Record that something happened; a worker acts on it after your transaction commits.

    It costs one INSERT. If your transaction is rolled back, nothing has happened.

    Args:
        name: A registered event type, such as `order_placed`.
        contact: Who it happened to: a `Who`, a user, a mapping of Who's fields or an address.
            None only for types that are not about a person (`price_dropped`).
        key: The id of the object that it is about (the order's, the cart's).
        payload: The type's data; see the reference of events. Money is
            `{"amount": "12.50", "currency": "EUR"}` with the amount a string or a Decimal.
        occurred_at: When it happened, aware; now by default.
        dedupe_key: A second event of one site and source with this key is ignored. Give one
            wherever your own signal may fire twice.
        site: A Wagtail Site or its id; the default site if not given.
        source: Who tells; part of the uniqueness of `dedupe_key`.

    Returns:
        True if the event was recorded, False if its dedupe_key was known already.

    Raises:
        InvalidEvent: The name, the contact, the payload or the time is wrong. The message says
            which, and what would be right.
    """
    kind = _kind(name)
    if kind.derived:
        raise InvalidEvent(
            f"{name} is derived by the engine; do not send it. Send cart_updated with every "
            "change of a cart instead."
        )
    who = None if contact is None and not kind.needs_contact else Who.parse(contact)
    if occurred_at is not None and occurred_at.tzinfo is None:
        raise InvalidEvent("occurred_at has no time zone. Pass django.utils.timezone.now().")
    return record(
        kind,
        who=who,
        key=str(key),
        payload=checked_payload(kind, payload or {}),
        occurred_at=occurred_at,
        dedupe_key=dedupe_key,
        site_id=sites.site_id(site),
        source=source,
    )


def record(
    kind: EventType,
    *,
    who: Who | None,
    key: str,
    payload: dict[str, Any],
    site_id: int,
    occurred_at: datetime | None = None,
    dedupe_key: str | None = None,
    source: str = "shop",
    depth: int = 0,
) -> bool:
    """Insert a checked event and hint at the router; see `track` for the arguments."""
    key = _storable(key)
    if len(key) > 128:
        raise InvalidEvent(f"key is longer than 128 characters: {key[:40]!r}…")
    if dedupe_key is not None and not 0 < len(dedupe_key) <= 200:
        raise InvalidEvent("dedupe_key must have 1 to 200 characters.")
    text = _payload_json(kind, payload)
    if _NUL in text:
        payload = _storable(payload)
        text = _payload_json(kind, payload)
    inserted = outbox.insert(
        site_id=site_id,
        name=kind.name,
        identities=who.identities if who else {},
        who=_person_json(who) if who else "{}",
        key=key,
        refs=_json(kind.refs(key, payload), "key"),
        payload=text,
        occurred_at=occurred_at,
        dedupe_key=dedupe_key or uuid.uuid4().hex,
        source=source,
        depth=depth,
    )
    nudge(TASK_ROUTE)
    return inserted


#: How JSON writes a NUL; also part of how it writes the text of this escape.
_NUL: Final = "\\u0000"


_ENCODER: Final = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _json(value: Any, what: str) -> str:
    try:
        text = _ENCODER.encode(value)
        text.encode()  # a lone half of a surrogate pair is no text
    except (TypeError, ValueError) as error:
        raise InvalidEvent(
            f"{what} cannot be kept as JSON: {error}. Send plain values: texts, finite numbers, "
            "dates, lists and mappings of them."
        ) from error
    return text


def _person_json(who: Who) -> str:
    text = _json(who.as_json(), "contact")
    return _json(_storable(who.as_json()), "contact") if _NUL in text else text


def _payload_json(kind: EventType, payload: dict[str, Any]) -> str:
    text = _json(payload, f"The payload of {kind.name}")
    size = len(text.encode())
    if size > MAX_PAYLOAD_BYTES:
        raise InvalidEvent(
            f"The payload of {kind.name} has {size} bytes; at most {MAX_PAYLOAD_BYTES} fit. "
            "Send ids and what a message shows, not whole objects."
        )
    return text


def _storable(value: Any) -> Any:
    """The same without NULs, which customers can type and PostgreSQL cannot keep.

    Its refusal would come inside the host's transaction, and end it.
    """
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


def _kind(name: str) -> EventType:
    if name in event_types:
        return event_types.get(name)
    near = difflib.get_close_matches(name, event_types.all(), n=1)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    raise InvalidEvent(
        f"{name!r} is no registered event type. {hint} Register your own with "
        "wagtail_triggers.api.register_event in your app's triggers.py."
    )
