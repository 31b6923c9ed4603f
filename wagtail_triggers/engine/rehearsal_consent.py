"""What the guards would have said in a rehearsal, from what had been recorded by then.

The guards themselves are SQL on stored messages. A rehearsal stores none, and asks about the past:
here the same rules are answered from the consent record. A test lets both judge the same people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ..consent.addresses import hashes
from ..consent.models import ConsentEvent, Subscription, Suppression, Topic
from ..messages.models import Message, MessageClass

#: Guards that a rehearsal answers. `run_left` is the engine's: a run that ends takes its own back.
ANSWERED: Final = frozenset(
    {
        "expired",
        "no_address",
        "suppressed",
        "unsubscribed_all",
        "unsubscribed",
        "no_consent",
        "cart_closed",
        "order_undone",
        "run_left",
    }
)
#: Guards about the sending itself: there is none in a rehearsal, and switches are taken to be on.
NOT_ASKED: Final = frozenset(
    {
        "address_changed",
        "digest_changed",
        "erased",
        "no_permit",
        "paused",
        "switched_off",
        "unrouted_events",
    }
)


@dataclass(slots=True)
class Record:
    """What is known of one address: what it said, in order, and what stops it."""

    said: list[tuple[datetime, str, str]] = field(default_factory=list)
    answers: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    stops: list[tuple[datetime, str]] = field(default_factory=list)

    def verdict(self, topic: Topic | None, *, marketing: bool, moment: datetime) -> str:
        """The guard that stops a message to this address at `moment`, or ""."""
        stopped = {scope for since, scope in self.stops if since <= moment}
        if Suppression.Scope.ALL in stopped:
            return "suppressed"
        if not marketing:
            return ""
        if Suppression.Scope.MARKETING in stopped or self._left_everything(moment):
            return "unsubscribed_all"
        answer = self._answer(topic, moment)
        if answer == Subscription.State.UNSUBSCRIBED:
            return "unsubscribed"
        needs_yes = topic is None or topic.consent == Topic.Consent.OPT_IN
        if needs_yes and answer != Subscription.State.SUBSCRIBED:
            return "no_consent"
        return ""

    def _left_everything(self, moment: datetime) -> bool:
        """Whether the last word by then was to be left alone; a yes to a topic takes that back."""
        last = False
        for at, topic, action in self.said:
            if at > moment:
                break
            if not topic and action == Suppression.Reason.UNSUBSCRIBED:
                last = True
            elif action == Subscription.State.SUBSCRIBED:
                last = False
        return last

    def _answer(self, topic: Topic | None, moment: datetime) -> str:
        if topic is None:
            return ""
        said = [(at, action) for at, slug, action in self.said if slug == topic.slug]
        by_then = [action for at, action in said if at <= moment]
        if by_then:
            return by_then[-1]
        answer, since = self.answers.get(topic.pk, ("", moment))
        # The record may have been cleared; where it has not been, it began later than this.
        return answer if not said and since <= moment else ""


_SILENT: Final = Record()


class Consents:
    """What these addresses have said and what stops them; three queries.

    Args:
        site_id: The site.
        addresses: (channel, canonical address) pairs; empty addresses are left out.
    """

    def __init__(self, site_id: int, addresses: Iterable[tuple[str, str]]) -> None:
        wanted = {pair for pair in addresses if pair[1]}
        self._records: dict[tuple[str, str], Record] = defaultdict(Record)
        plain = {address for _channel, address in wanted}
        own: Collection[str] = sorted(plain)
        rows = ConsentEvent.objects.filter(site_id=site_id, address__in=own).order_by("at", "pk")
        for row in rows:
            self._records[row.channel, row.address].said.append(
                (row.at, row.topic_slug, row.action)
            )
        for sub in Subscription.objects.filter(site_id=site_id, address__in=own):
            record = self._records[sub.channel, sub.address]
            record.answers[sub.topic_id] = (sub.state, sub.changed_at)
        self._stops(site_id, {code: pair for pair in wanted for code in hashes(*pair)})

    def _stops(self, site_id: int, by_hash: Mapping[str, tuple[str, str]]) -> None:
        rows = Suppression.objects.filter(site_id=site_id, address_hash__in=list(by_hash))
        for row in rows:
            pair = by_hash[row.address_hash]
            if pair[0] == row.channel:
                self._records[pair].stops.append((row.created_at, row.scope))

    def verdict(self, message: Message, topic: Topic | None, moment: datetime) -> str:
        """The guard of consent that stops `message` at `moment`, or ""."""
        record = self._records.get((message.channel, message.address), _SILENT)
        marketing = message.message_class == MessageClass.MARKETING
        return record.verdict(topic, marketing=marketing, moment=moment)
