"""The public door: what a host calls.

In your transaction every verb here only inserts a row; a worker acts on it after you commit.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from .consent.manual import suppress_address
from .contacts import erasures
from .contacts.identities import Who
from .contacts.known_facts import declare_fact
from .core import sites
from .events.checking import checked_payload
from .events.ingest import record, track
from .events.mapping import Happened, map_signal
from .events.types import (
    JOURNEY_EXIT_REQUESTED,
    JOURNEY_REQUESTED,
    Line,
    Money,
    Payload,
    event_types,
    register_event,
)
from .exceptions import InvalidEvent
from .journeys.bundles.gallery import register_recipes
from .journeys.steps.registry import register_step
from .messages.blocks.registry import register_block
from .recommend.registry import register_recommender

__all__ = [
    "Happened",
    "InvalidEvent",
    "Line",
    "Money",
    "Payload",
    "Who",
    "declare_fact",
    "enrol",
    "erase",
    "exit_journey",
    "identify",
    "map_signal",
    "register_block",
    "register_event",
    "register_recipes",
    "register_recommender",
    "register_step",
    "subscribe",
    "suppress",
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


def suppress(
    contact: Any,
    *,
    everything: bool = False,
    channel: str = "email",
    source: str = "shop",
    site: Any = None,
) -> bool:
    """Stop messages to an address, for whatever reason; nobody needs to be known by it.

    It holds from your commit on, and no later subscription takes it back. It makes no contact: the
    suppression is a keyed hash, and the consent record says who wanted it.

    Args:
        contact: A `Who`, a user, a mapping of Who's fields, or an address.
        everything: Receipts and the like too, not only marketing.
        channel: On which channel: `email`, or `sms` for the phone number.
        source: Who wanted it, in words, for the consent record.
        site: A Wagtail Site or its id; the default site if not given.

    Returns:
        Whether it was not stopped as widely before.

    Raises:
        InvalidEvent: There is no address for this channel.
    """
    who = Who.parse(contact)
    kind = {"email": "email", "sms": "phone"}.get(channel, "external_id")
    address = who.identities.get(kind, "")
    if not address:
        raise InvalidEvent(
            f"There is no {kind} to suppress on the channel {channel!r}. Pass it in the contact: "
            f"Who({kind}=…)."
        )
    return suppress_address(
        sites.site_id(site), channel, address, everything=everything, source=source
    )


def erase(contact: Any, *, site: Any = None) -> UUID:
    """Have a person forgotten; a worker does it within moments of your commit.

    Their runs end, what was planned is cancelled, and everything that tells who they were is
    emptied. The address stays suppressed by a keyed hash. What the person does afterwards is that
    of somebody new. It cannot be undone. See the how-to "Erase a person".

    Args:
        contact: A `Who`, a user, a mapping of Who's fields or an address. A user's id means this
            customer alone, with `email_verified=True` also guests of the same address; an address
            alone means everybody who is known by it.
        site: A Wagtail Site or its id; the default site if not given.

    Returns:
        The public id of the erasure, under which its record is kept.

    Raises:
        InvalidEvent: The contact names nobody.
    """
    return erasures.request(Who.parse(contact), sites.site_id(site)).public_id


def enrol(
    contact: Any,
    journey: Any,
    *,
    key: str = "",
    payload: dict[str, Any] | None = None,
    dedupe_key: str | None = None,
    site: Any = None,
) -> bool:
    """Ask a person into a journey that has an entry for being started from elsewhere.

    The journey's own filter and rule of re-entry decide; a refusal is recorded with its reason.

    Args:
        contact: A `Who`, a user, a mapping of Who's fields or an address.
        journey: A Journey or its uid, which is the same in every database that it comes to.
        key: The object that the run shall be about, with its kind: "cart:12", "order:77".
        payload: What the steps may read as the event's data.
        dedupe_key: A second call of one site with this key is ignored.
        site: A Wagtail Site or its id; that of the Journey, else the default site.

    Returns:
        True if the request was recorded, False if its dedupe_key was known already.

    Raises:
        InvalidEvent: The contact, the uid, the key or the payload is wrong; the message says which.
    """
    return _request(JOURNEY_REQUESTED, contact, journey, key, payload or {}, dedupe_key, site)


def exit_journey(contact: Any, journey: Any, *, key: str = "", site: Any = None) -> bool:
    """Ask a person out of a journey: their runs end at once, also in the middle of a wait.

    What a run had planned and not sent is cancelled. It does not count as a conversion.

    Args:
        contact: A `Who`, a user, a mapping of Who's fields or an address.
        journey: A Journey or its uid.
        key: Only the run about this object, "cart:12"; every run of the person if empty.
        site: A Wagtail Site or its id; that of the Journey, else the default site.

    Raises:
        InvalidEvent: The contact, the uid or the key is wrong; the message says which.
    """
    return _request(JOURNEY_EXIT_REQUESTED, contact, journey, key, {}, None, site)


def _request(
    name: str,
    contact: Any,
    journey: Any,
    key: str,
    payload: dict[str, Any],
    dedupe_key: str | None,
    site: Any,
) -> bool:
    try:
        uid = str(UUID(str(getattr(journey, "uid", journey))))
    except ValueError:
        raise InvalidEvent(
            f"{journey!r} is no journey. Pass a Journey, or the uid that its page shows."
        ) from None
    if key and not all(key.partition(":")):
        raise InvalidEvent(
            f"{key!r} does not say what kind of object it is. Pass it as kind:id, such as cart:12."
        )
    kind = event_types.get(name)
    return record(
        kind,
        who=Who.parse(contact),
        key=key,
        payload=checked_payload(kind, {**payload, "journey": uid}),
        dedupe_key=dedupe_key,
        site_id=sites.site_id(getattr(journey, "site_id", None) if site is None else site),
    )


def _consent(name: str, contact: Any, topic: str, source: str, site: Any) -> bool:
    who = Who.parse(contact)
    if not who.email:
        raise InvalidEvent(
            "Consent belongs to an address, and this contact has none. Pass "
            "Who(user_id=…, email=…) with the address that the person gave."
        )
    return track(name, contact=who, payload={"topic": topic, "source": source}, site=site)
