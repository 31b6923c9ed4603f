"""Facts about a person, kept up to date by events, never by an older one over a newer one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings

from .models import Contact

_COLUMNS = ("first_name", "last_name", "email", "phone", "language", "time_zone", "birthday")


def learn(contact: Contact, who: Mapping[str, Any], occurred_at: datetime) -> None:
    """Take over what an event says of a person, unless something newer is known. Does not save."""
    stamp = occurred_at.isoformat()
    for name in _COLUMNS:
        if who.get(name) and _is_newer(contact, name, stamp):
            value = who[name]
            setattr(contact, name, date.fromisoformat(value) if name == "birthday" else value)
    for name, value in (who.get("facts") or {}).items():
        if _is_newer(contact, name, stamp):
            contact.facts = {**contact.facts, name: value}
    if contact.last_seen_at is None or contact.last_seen_at < occurred_at:
        contact.last_seen_at = occurred_at


def change(
    contact: Contact,
    *,
    facts: Mapping[str, Any],
    add_tags: Iterable[str] = (),
    remove_tags: Iterable[str] = (),
    score: int = 0,
    moment: datetime,
) -> bool:
    """Change declared facts, tags and score, as of `moment`. Does not save.

    Args:
        contact: A locked contact.
        facts: Values by name; None takes a fact away.
        add_tags: Put on, after `remove_tags` were taken off.
        remove_tags: Taken off.
        score: Added; the score never falls below zero.
        moment: Now: nothing that happened before it overwrites these facts.

    Returns:
        Whether anything is different.
    """
    before = (contact.facts, contact.tags, contact.score)
    stamp = moment.isoformat()
    merged = {**contact.facts, **facts}
    contact.facts = {name: value for name, value in merged.items() if value is not None}
    contact.facts_at = {**contact.facts_at, **dict.fromkeys(facts, stamp)}
    contact.tags = sorted({*contact.tags} - {*remove_tags} | {*add_tags})
    contact.score = max(0, contact.score + score)
    return before != (contact.facts, contact.tags, contact.score)


def _is_newer(contact: Contact, name: str, stamp: str) -> bool:
    known = contact.facts_at.get(name)
    if known is not None and datetime.fromisoformat(known) > datetime.fromisoformat(stamp):
        return False
    contact.facts_at = {**contact.facts_at, name: stamp}
    return True


def zone_of(contact_zone: str, site_zone: str = "") -> ZoneInfo:
    """A person's time zone: their own, else the site's, else the project's, else UTC."""
    for name in (contact_zone, site_zone, django_settings.TIME_ZONE):
        if name:
            try:
                return ZoneInfo(name)
            except (KeyError, ValueError):  # an unknown or malformed name: ask the next one
                continue
    return ZoneInfo("UTC")
