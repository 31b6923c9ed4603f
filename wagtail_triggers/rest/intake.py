"""Entries of a request become events: each is judged by itself, and recorded in its own right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..api import Who, identify, track
from ..exceptions import InvalidEvent
from .schemas import ContactIn, EventIn


def _who(contact: ContactIn | None) -> Who | None:
    return None if contact is None else Who(**contact.model_dump())


def record_event(one: EventIn, *, site: int, source: str, id: str | None = None) -> dict[str, str]:
    """Record one event; an id that is known makes it a duplicate."""

    def record() -> bool:
        return track(
            one.name,
            contact=_who(one.contact),
            key=one.key,
            payload=one.payload,
            occurred_at=one.occurred_at,
            dedupe_key=one.id or id,
            site=site,
            source=source,
        )

    return _judged(record)


def record_contact(one: ContactIn, *, site: int) -> dict[str, str]:
    """Record what is known of one person."""
    return _judged(lambda: identify(Who(**one.model_dump()), site=site))


def _judged(record: Callable[[], bool]) -> dict[str, str]:
    try:
        return {"status": "recorded" if record() else "duplicate"}
    except InvalidEvent as error:
        return {"status": "refused", "error": str(error)[:2_000]}


def summed(results: Iterable[dict[str, str]]) -> dict[str, Any]:
    """The answer to a batch."""
    found = list(results)
    counts = {
        status: sum(one["status"] == status for one in found)
        for status in ("recorded", "duplicate", "refused")
    }
    return {**counts, "results": found}
