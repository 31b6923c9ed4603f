"""Stop addresses because of what a provider reported: hard bounces, complaints; in sets.

A hard bounce stops every message: a receipt cannot arrive there either, and a sender who goes on
writing to dead addresses is soon taken for a spammer. A complaint stops marketing alone: whoever
ordered something is owed the receipt. Both withdraw every topic, so that whoever takes over the
address one day starts anew, and the preferences say what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..core.bulk import update_rows
from .addresses import canonical, current_hash
from .models import ConsentEvent, Subscription, Suppression, Topic

#: Of two reasons with one scope the later in this list stays: `subscribe` takes back the first.
_WEIGHT: Final = {
    Suppression.Reason.UNSUBSCRIBED.value: 0,
    Suppression.Reason.COMPLAINED.value: 1,
    Suppression.Reason.BOUNCED.value: 2,
}


@dataclass(frozen=True, slots=True)
class Stop:
    """An address that is to be left alone.

    Attributes:
        site_id, channel: Where.
        address: As the message carried it; "" where it was erased.
        address_hash: As the message kept it; taken where the address is gone.
        reason: `bounced`, `complained` or `unsubscribed` (a value of `Suppression.Reason`).
        topic_id: For `unsubscribed`, from what; None means everything.
        at: When the provider noticed. An answer that the person gave later stands.
        source: Who said so, for the consent record.
    """

    site_id: int
    channel: str
    address: str
    address_hash: str
    reason: str
    at: datetime
    source: str
    topic_id: int | None = None

    @property
    def only_a_topic(self) -> bool:
        """Whether no more than one topic is withdrawn."""
        return (
            self.reason == Suppression.Reason.UNSUBSCRIBED
            and self.topic_id is not None
            and bool(self.address)
        )

    @property
    def scope(self) -> str:
        """How much is suppressed."""
        dead = self.reason == Suppression.Reason.BOUNCED
        return Suppression.Scope.ALL if dead else Suppression.Scope.MARKETING

    @property
    def digest(self) -> str:
        """The hash that is suppressed: under today's key, where the address is still known."""
        return current_hash(self.channel, self.address) if self.address else self.address_hash


def stop_addresses(stops: Sequence[Stop], moment: datetime) -> None:
    """Suppress and withdraw; the caller holds the contacts' locks.

    A fixed number of queries, whatever the number of addresses. What is there already is never
    narrowed, and doing it twice changes nothing but the consent record.

    Args:
        stops: What was reported.
        moment: Now.
    """
    known = [stop for stop in stops if stop.address or stop.address_hash]
    if not known:
        return
    _suppress([stop for stop in known if not stop.only_a_topic], moment)
    _withdraw([stop for stop in known if stop.address])
    slugs = dict(
        Topic.objects.filter(
            pk__in={stop.topic_id for stop in known if stop.only_a_topic}
        ).values_list("pk", "slug")
    )
    ConsentEvent.objects.bulk_create(
        ConsentEvent(
            site_id=stop.site_id,
            channel=stop.channel,
            topic_slug=slugs.get(stop.topic_id or 0, "") if stop.only_a_topic else "",
            address=canonical(stop.channel, stop.address),
            action=stop.reason,
            source=stop.source[:128],
            at=moment,
        )
        for stop in known
    )


def _suppress(stops: Iterable[Stop], moment: datetime) -> None:
    wanted: dict[tuple[int, str, str], Stop] = {}
    for stop in sorted(stops, key=lambda one: _WEIGHT[one.reason]):
        wanted[stop.site_id, stop.channel, stop.digest] = stop
    if not wanted:
        return
    Suppression.objects.bulk_create(
        [
            Suppression(
                site_id=site_id,
                channel=channel,
                address_hash=digest,
                scope=stop.scope,
                reason=stop.reason,
                created_at=moment,
            )
            for (site_id, channel, digest), stop in sorted(wanted.items())
        ],
        ignore_conflicts=True,
    )
    # What was there before is made wider or weightier, never the other way round.
    rows = Suppression.objects.filter(address_hash__in={key[2] for key in wanted})
    raised: dict[str, list[int]] = {reason: [] for reason in _WEIGHT}
    for row in rows:
        found = wanted.get((row.site_id, row.channel, row.address_hash))
        if found is not None and _is_more(found, row):
            raised[found.reason].append(row.pk)
    for reason, ids in raised.items():
        dead = reason == Suppression.Reason.BOUNCED
        scope = Suppression.Scope.ALL if dead else Suppression.Scope.MARKETING
        if ids:
            Suppression.objects.filter(pk__in=ids).update(scope=scope, reason=reason)


def _is_more(stop: Stop, row: Suppression) -> bool:
    if stop.scope != row.scope:
        return stop.scope == Suppression.Scope.ALL
    # A reason that is not ours (by hand, erased) is left as it is.
    return row.reason in _WEIGHT and _WEIGHT[stop.reason] > _WEIGHT[row.reason]


def _withdraw(stops: Sequence[Stop]) -> None:
    """Take back every yes of these addresses that is older than the report."""
    by_address: dict[tuple[int, str, str], list[Stop]] = {}
    for stop in stops:
        key = (stop.site_id, stop.channel, canonical(stop.channel, stop.address))
        by_address.setdefault(key, []).append(stop)
    if not by_address:
        return
    _make_answers(by_address)
    found = Subscription.objects.filter(
        address__in={key[2] for key in by_address}, state=Subscription.State.SUBSCRIBED
    )
    for row in found:
        for stop in by_address.get((row.site_id, row.channel, row.address), ()):
            meant = not stop.only_a_topic or row.topic_id == stop.topic_id
            if meant and row.changed_at <= stop.at:
                row.state, row.changed_at = Subscription.State.UNSUBSCRIBED, stop.at
    changed = [row for row in found if row.state == Subscription.State.UNSUBSCRIBED]
    update_rows(Subscription, changed, ["state", "changed_at"])


def _make_answers(by_address: dict[tuple[int, str, str], list[Stop]]) -> None:
    """A no to a topic that was never asked for is an answer too."""
    Subscription.objects.bulk_create(
        [
            Subscription(
                site_id=site_id,
                channel=channel,
                topic_id=stop.topic_id or 0,  # `only_a_topic` has one
                address=address,
                state=Subscription.State.UNSUBSCRIBED,
                changed_at=stop.at,
            )
            for (site_id, channel, address), group in sorted(by_address.items())
            for stop in group
            if stop.only_a_topic
        ],
        ignore_conflicts=True,
    )
