"""What a template may see of a person and of what happened, as plain JSON data; in sets.

It is kept with the message. A retry and "as it was sent" render from it again, so nothing is in
it that a JSON column cannot give back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from ..consent.links import Wanted, tokens_for, unsubscribe_url
from ..contacts.facts import zone_of
from ..contacts.models import Contact
from ..events.models import Cart, Event
from ..events.types import event_types
from .additions import additions
from .branding import Sender
from .models import Message, MessageClass
from .policies.digest_items import items_of


def contexts(
    messages: Sequence[Message],
    contacts: dict[int, Contact],
    senders: dict[int, Sender],
    moment: datetime,
) -> dict[int, dict[str, Any]]:
    """The context of each message by its id; a fixed number of queries.

    Args:
        messages: Claimed messages, each with its address.
        contacts: Their contacts by id.
        senders: The sender of each site by the site's id.
    """
    events = Event.objects.in_bulk({message.event_id for message in messages if message.event_id})
    carts = _carts(messages, events)
    links = tokens_for((_wanted(message) for message in messages if _is_marketing(message)), moment)
    added = additions(messages)
    found = {}
    for message in messages:
        event = events.get(message.event_id or 0)
        payload = event.payload if event else {}
        about = event_types.get(event.name).about if event and event.name in event_types else ""
        cart = carts.get((message.site_id, str(payload.get("cart_id") or "")))
        sender = senders[message.site_id]
        contact = contacts[message.contact_id]
        token = links.get(_wanted(message)) if _is_marketing(message) else None
        found[message.pk] = _plain(
            {
                "contact": contact.as_facts(),
                "event": payload,
                "cart": cart.payload if cart else (payload if about == "cart" else {}),
                "order": payload if about == "order" else {},
                **added[message.pk],
                "site": {"name": sender.name, "url": sender.url},
                "time_zone": zone_of(contact.time_zone, sender.time_zone).key,
                "links": {"unsubscribe": unsubscribe_url(token) if token else "",
                          "preferences": ""},
            }
        )  # fmt: skip
    digests = items_of(messages, lambda items: contexts(items, contacts, senders, moment))
    for pk, items in digests.items():
        found[pk]["items"] = items
    return found


def _is_marketing(message: Message) -> bool:
    return message.message_class == MessageClass.MARKETING


def _wanted(message: Message) -> Wanted:
    return Wanted(message.site_id, message.channel, message.topic_id, message.address)


def _carts(messages: Sequence[Message], events: dict[int, Event]) -> dict[tuple[int, str], Cart]:
    ids = {
        str(event.payload["cart_id"]) for event in events.values() if event.payload.get("cart_id")
    }
    if not ids:
        return {}
    sites = {message.site_id for message in messages}
    rows = Cart.objects.filter(site_id__in=sites, cart_id__in=ids, status=Cart.Status.OPEN)
    return {(row.site_id, row.cart_id): row for row in rows}


def _plain(context: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(context, cls=DjangoJSONEncoder))
    return plain
