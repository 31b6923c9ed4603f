"""Unsubscribe links: stored, random, for ever; made in sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from ..conf import settings
from .addresses import canonical, current_hash
from .models import LinkToken


@dataclass(frozen=True, slots=True)
class Wanted:
    """A link that a message needs."""

    site_id: int
    channel: str
    topic_id: int | None
    address: str


def tokens_for(wanted: Iterable[Wanted], moment: datetime) -> dict[Wanted, str]:
    """A token for each link, making those that are missing; two queries, whatever the number."""
    wishes = sorted(set(wanted), key=lambda wish: (wish.site_id, wish.channel, wish.address))
    if not wishes:
        return {}
    hashed = {wish: current_hash(wish.channel, wish.address) for wish in wishes}
    found = _existing(hashed)
    missing = [wish for wish in wishes if wish not in found]
    if missing:
        LinkToken.objects.bulk_create(
            [
                LinkToken(
                    site_id=wish.site_id,
                    channel=wish.channel,
                    topic_id=wish.topic_id,
                    address=canonical(wish.channel, wish.address),
                    address_hash=hashed[wish],
                    created_at=moment,
                )
                for wish in missing
            ],
            ignore_conflicts=True,
        )
        found |= _existing({wish: hashed[wish] for wish in missing})
    return found


def _existing(hashed: dict[Wanted, str]) -> dict[Wanted, str]:
    rows = LinkToken.objects.filter(
        Q(address_hash__in=set(hashed.values())),
        site_id__in={wish.site_id for wish in hashed},
    ).values_list("site_id", "channel", "topic_id", "address_hash", "token")
    by_key = {tuple(row[:4]): row[4] for row in rows}
    return {
        wish: by_key[key]
        for wish, digest in hashed.items()
        if (key := (wish.site_id, wish.channel, wish.topic_id, digest)) in by_key
    }


def unsubscribe_url(token: str) -> str:
    """The absolute address behind an unsubscribe link.

    The host includes our URLs where it likes; `BASE_URL` says under which name it is reached.
    """
    return settings.base_url + reverse("wagtail_triggers:unsubscribe", args=[token])
