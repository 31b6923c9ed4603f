"""Whether a payload is what its event type asks for."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import ValidationError

from ..exceptions import InvalidEvent
from .types import EventType

#: Payloads over this are refused: an event tells what happened, it does not carry files.
MAX_PAYLOAD_BYTES: Final = 64 * 1024


def checked_payload(kind: EventType, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as it is kept, in plain JSON.

    Raises:
        InvalidEvent: It is not what the type asks for; the message says what would be right.
    """
    try:
        plain: dict[str, Any] = kind.payload.model_validate(payload).model_dump(
            mode="json", exclude_unset=False
        )
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'payload'}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        )
        raise InvalidEvent(f"The payload of {kind.name} is wrong. {faults}") from error
    return plain


def is_too_large(payload: dict[str, Any]) -> bool:
    """Say whether a checked payload is larger than an event may be."""
    return len(json.dumps(payload, ensure_ascii=False).encode()) > MAX_PAYLOAD_BYTES
