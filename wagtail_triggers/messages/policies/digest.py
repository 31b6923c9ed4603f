"""Several messages that wait for one person become one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_noop

from ...contacts.models import Contact
from ...core.bulk import update_rows
from ..guards import stopped_by
from ..models import Message, MessageClass
from ..versions import Versions

#: Its keys begin with this: `digest:` and the public id of the first message in it.
KEY: Final = "digest:"

MERGED: Final = gettext_noop("It became a part of a digest.")
NOTHING_LEFT: Final = gettext_noop("Nothing of the digest was true any more.")


@dataclass(frozen=True, slots=True)
class Entrant:
    """A message that wants a slot; or a digest, not stored yet, with what is to become part of it.

    Attributes:
        message: Itself.
        items: What it merges; empty for a message of its own.
    """

    message: Message
    items: tuple[Message, ...] = ()

    @property
    def rows(self) -> tuple[Message, ...]:
        """The stored messages behind it."""
        return self.items or (self.message,)

    @property
    def rank(self) -> tuple[int, datetime, int]:
        """Sorts the most important first: by priority, then by age."""
        first = min((row.planned_at, row.pk) for row in self.rows)
        return (-self.message.priority, *first)


def is_digest(message: Message) -> bool:
    """Whether a message is a digest of others."""
    return message.idempotency_key.startswith(KEY)


class Digests:
    """The templates of some sites' digests; one query, and none where there is no digest."""

    def __init__(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        self._versions = Versions(keys) if keys else None

    def entrants(
        self, rows: Sequence[Message], contact: Contact, template: str, waited: str
    ) -> list[Entrant]:
        """Everything of one person that wants a slot.

        Args:
            rows: Their messages.
            template: The translation key of the site's digest, or "".
            waited: The reason of messages that have waited for a slot: these are merged.
        """
        version = self._versions.find(template, contact.language) if self._versions else None
        if version is None or version.message_class != MessageClass.MARKETING:
            return [Entrant(row) for row in rows]
        groups: dict[tuple[str, int | None], list[Message]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (-row.priority, row.planned_at, row.pk)):
            if row.state == Message.State.DEFERRED and row.reason == waited and not is_digest(row):
                groups[row.channel, row.topic_id].append(row)
        merged = [group for group in groups.values() if len(group) > 1]
        taken = {row.pk for group in merged for row in group}
        return [
            *(Entrant(_digest(group, version), tuple(group)) for group in merged),
            *(Entrant(row) for row in rows if row.pk not in taken),
        ]


def _digest(items: Sequence[Message], version: Any) -> Message:
    first = items[0]
    ends = [row.expires_at for row in items if row.expires_at is not None]
    return Message(
        site_id=first.site_id,
        contact_id=first.contact_id,
        template_version=version,
        channel=first.channel,
        message_class=MessageClass.MARKETING,
        topic_id=first.topic_id,
        priority=max(row.priority for row in items),
        idempotency_key=f"{KEY}{first.public_id}",
        address=first.address,
        address_hash=first.address_hash,
        expires_at=min(ends, default=None),
        depth=max(row.depth for row in items),
    )


def recheck(rows: Sequence[Message], moment: datetime) -> set[int]:
    """Take out of digests that have not left what is no longer true; three queries, if any.

    Args:
        rows: Messages whose people are locked.
        moment: Now.

    Returns:
        Ids of digests that have nothing left.
    """
    own = {row.pk for row in rows if is_digest(row) and not row.ambiguous}
    if not own:
        return set()
    items = list(Message.objects.filter(merged_into__in=own, state=Message.State.MERGED))
    stopped = stopped_by([item.pk for item in items], moment)
    kept = set()
    false = []
    for item in items:
        guard = stopped.get(item.pk)
        if guard is not None and guard.state in Message.TERMINAL:
            item.state, item.reason = guard.state, guard.reason
            false.append(item)
        else:
            kept.add(item.merged_into_id)
    update_rows(Message, false, ["state", "reason"])
    return own - kept


def insert(entrants: Sequence[Entrant], moment: datetime) -> list[Message]:
    """Store digests that have won a slot, and end what became part of them; does not save those.

    Returns:
        The messages that were merged, changed in place.
    """
    digests = [entrant for entrant in entrants if entrant.items]
    for entrant in digests:
        entrant.message.planned_at = moment
    Message.objects.bulk_create([entrant.message for entrant in digests])
    merged = []
    for entrant in digests:
        for row in entrant.items:
            row.state, row.reason, row.due_at = Message.State.MERGED, MERGED, None
            row.settled_at, row.merged_into = moment, entrant.message
            merged.append(row)
    return merged
