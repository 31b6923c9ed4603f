"""The public door: what a host calls.

In your transaction every verb here only inserts a row; a worker acts on it after you commit.
Reserved for later, so that no host takes the names: `enrol`, `exit_journey`, `suppress`, `erase`.
"""

from __future__ import annotations

from typing import Any

from .contacts.facts import declare_fact
from .contacts.identities import Who
from .events.ingest import track
from .events.mapping import Happened, map_signal
from .events.types import Line, Money, Payload, register_event
from .exceptions import InvalidEvent
from .journeys.steps.registry import register_step

__all__ = [
    "Happened",
    "InvalidEvent",
    "Line",
    "Money",
    "Payload",
    "Who",
    "declare_fact",
    "identify",
    "map_signal",
    "register_event",
    "register_step",
    "subscribe",
    "track",
    "unsubscribe",
]


def identify(contact: Any, *, site: Any = None) -> bool:
    """Record what is known of a person: names, language, time zone, birthday, declared facts.

    Args:
        contact: A `Who`, a user or a mapping of Who's fields.
        site: A Wagtail Site or its id; the default site if not given.

    Raises:
        InvalidEvent: The description names nobody, or holds what cannot be true.
    """
    return track("user_updated", contact=contact, site=site)


def subscribe(contact: Any, topic: str = "news", *, source: str = "shop", site: Any = None) -> bool:
    """Record that a person agreed to be written to on a topic (a box that they ticked).

    Args:
        contact: A `Who` (or user, mapping, address) with the e-mail address that was given.
        topic: The topic's slug.
        source: Where they agreed, in words, kept as proof: "checkout", "sign-up form".
        site: A Wagtail Site or its id; the default site if not given.

    Raises:
        InvalidEvent: There is no address to write to.
    """
    return _consent("subscribed", contact, topic, source, site)


def unsubscribe(
    contact: Any, topic: str = "news", *, source: str = "shop", site: Any = None
) -> bool:
    """Record that a person withdrew from a topic; see `subscribe` for the arguments."""
    return _consent("unsubscribed", contact, topic, source, site)


def _consent(name: str, contact: Any, topic: str, source: str, site: Any) -> bool:
    who = Who.parse(contact)
    if not who.email:
        raise InvalidEvent(
            "Consent belongs to an address, and this contact has none. Pass "
            "Who(user_id=…, email=…) with the address that the person gave."
        )
    return track(name, contact=who, payload={"topic": topic, "source": source}, site=site)
