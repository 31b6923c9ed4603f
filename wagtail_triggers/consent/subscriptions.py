"""Say yes, say no, and be left alone: the only places where consent changes.

Every change takes the row of each contact with that address first, like everything else that
changes what may happen to a person, so a sender sees it or has already sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction

from ..contacts.locking import lock_ids
from ..contacts.models import Contact
from ..core import clock
from ..core.locking import engine_transaction, is_transient, retrying
from ..exceptions import UnknownTopic
from .addresses import canonical, current_hash, hashes
from .models import ConsentEvent, LinkToken, Subscription, Suppression, Topic

logger = logging.getLogger("wagtail_triggers.consent")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of consent, fully named."""

    site_id: int
    channel: str
    address: str
    source: str
    topic: Topic | None = None

    @property
    def canonical(self) -> str:
        """The address as it is stored."""
        return canonical(self.channel, self.address)


def topic_of(site_id: int, slug: str) -> Topic:
    """The site's topic with this slug.

    Raises:
        UnknownTopic: There is none.
    """
    topic = Topic.objects.filter(site_id=site_id, slug=slug).first()
    if topic is None:
        raise UnknownTopic(
            f"There is no topic {slug!r} on this site. Create it in the admin under "
            "Triggers > Topics, or correct the slug."
        )
    return topic


def subscribe(change: Change, *, moment: datetime | None = None) -> None:
    """Record that the address agreed to the topic. The caller holds the contact's lock.

    A yes to a topic takes back an earlier "everything" of the person's own; a bounce, a complaint
    or a manual suppression stays.
    """
    moment = moment or clock.now()
    _answer(change, Subscription.State.SUBSCRIBED, moment)
    Suppression.objects.filter(
        site_id=change.site_id,
        channel=change.channel,
        address_hash__in=hashes(change.channel, change.address),
        reason=Suppression.Reason.UNSUBSCRIBED,
    ).delete()


def withdraw(change: Change, *, moment: datetime | None = None) -> None:
    """Record that the address withdrew from the topic, or from everything where none is named.

    The caller holds the contact's lock, or has waited for it as long as it may.
    """
    moment = moment or clock.now()
    if change.topic is not None:
        _answer(change, Subscription.State.UNSUBSCRIBED, moment)
    else:
        suppress(
            change,
            current_hash(change.channel, change.address),
            scope=Suppression.Scope.MARKETING,
            reason=Suppression.Reason.UNSUBSCRIBED,
            moment=moment,
        )


def suppress(
    change: Change, address_hash: str, *, scope: str, reason: str, moment: datetime
) -> None:
    """Stop an address; a wider suppression is never narrowed. Appends to the consent record."""
    row, created = Suppression.objects.get_or_create(
        site_id=change.site_id,
        channel=change.channel,
        address_hash=address_hash,
        defaults={"scope": scope, "reason": reason, "created_at": moment},
    )
    if not created and row.scope != scope and scope == Suppression.Scope.ALL:
        row.scope, row.reason = scope, reason
        row.save(update_fields=["scope", "reason"])
    _record(change, reason, moment)


@retrying
def unsubscribe_by_link(link: LinkToken, *, everything: bool, source: str) -> None:
    """Carry out an unsubscribe link. It takes effect before this returns.

    Where the contact's lock cannot be had in time, it is committed all the same: a person who
    asked to be left alone does not wait for our workers.

    Args:
        link: The stored token's row; its address may have been erased.
        everything: Stop all marketing, not only the link's topic.
        source: Where it was asked, for the consent record.
    """
    try:
        with engine_transaction():
            if link.address:
                people = Contact.objects.filter(site_id=link.site_id, email__iexact=link.address)
                lock_ids(people)
            _carry_out(link, everything, source)
    except DatabaseError as error:
        if not is_transient(error):
            raise
        logger.warning("Unsubscribing without the contact's lock, which is held elsewhere")
        with transaction.atomic():
            _carry_out(link, everything, source)


def _carry_out(link: LinkToken, everything: bool, source: str) -> None:
    moment = clock.now()
    topic = None if everything else link.topic
    change = Change(link.site_id, link.channel, link.address, source, topic)
    if topic is not None and link.address:
        withdraw(change, moment=moment)
        return
    suppress(
        change,
        link.address_hash,
        scope=Suppression.Scope.MARKETING,
        reason=Suppression.Reason.UNSUBSCRIBED,
        moment=moment,
    )


def _answer(change: Change, state: str, moment: datetime) -> None:
    assert change.topic is not None  # noqa: S101 - both callers have looked
    Subscription.objects.update_or_create(
        site_id=change.site_id,
        channel=change.channel,
        topic=change.topic,
        address=change.canonical,
        defaults={"state": state, "changed_at": moment},
    )
    _record(change, state, moment)


def _record(change: Change, action: str, moment: datetime) -> None:
    ConsentEvent.objects.create(
        site_id=change.site_id,
        channel=change.channel,
        topic_slug=change.topic.slug if change.topic else "",
        address=change.canonical,
        action=action,
        source=change.source[:128],
        at=moment,
    )
