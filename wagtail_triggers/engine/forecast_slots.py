"""When expected messages may leave: the arbiter itself, on rows that nobody stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..consent.addresses import canonical
from ..consent.caps import longest_window
from ..consent.models import Topic
from ..contacts.models import Contact
from ..exceptions import ConfigurationError
from ..messages.channels.base import Channel, get_channel
from ..messages.claim import apply
from ..messages.models import Message, MessageClass
from ..messages.policies import slots
from ..messages.policies.arbiter import Recipient, Ruling, decide_for
from ..messages.policies.collapse import COLLAPSED, superseded
from ..messages.policies.digest import Digests
from ..messages.policies.rules import rules_of
from ..messages.verdicts import code_of
from .rehearsal_consent import Consents

#: Rows with such keys are in no database.
NOT_STORED: Final = 2**60
#: More turns of the clock than one person's messages can need.
MOST_TURNS: Final = 2_000


@dataclass(slots=True)
class Letter:
    """A message to come, and what becomes of it.

    Attributes:
        message: As it is stored, or would be; None where there is no template for it.
        source: What the forecast knows of it.
        certain: Whether only time has to pass: what may never be planned takes nobody's slot.
        leaves_at: When it leaves.
        stopped_by: The rule that stops it, or "".
    """

    message: Message | None
    source: Any
    certain: bool = True
    leaves_at: datetime | None = None
    stopped_by: str = ""


def hand_out(
    contact: Contact, letters: Sequence[Letter], moment: datetime, until: datetime
) -> None:
    """Find for each letter when it leaves, or which rule stops it; seven queries at most.

    What depends on something that may never happen is judged alone: against the slots that are
    taken for certain, not against each other.
    """
    open_letters = [one for one in letters if one.message is not None]
    if not open_letters:
        return
    rules = rules_of({contact.site_id})[contact.site_id]
    window = longest_window(rules.caps)
    stored = [one.message.pk for one in open_letters if one.message and one.message.pk < NOT_STORED]
    used = slots.uses([contact.pk], moment - window, besides=stored).get(contact.pk, [])
    _address(contact, open_letters)
    _consent(contact, open_letters, moment)
    person = Recipient(contact, rules, list(used))
    certain = [one for one in open_letters if one.certain and not one.stopped_by]
    _play(person, certain, moment, until)
    for one in open_letters:
        if not one.certain and not one.stopped_by:
            _play(Recipient(contact, rules, list(used)), [one], moment, until)


def _address(contact: Contact, letters: Sequence[Letter]) -> None:
    channels: dict[str, Channel | None] = {}
    for one in letters:
        row = one.message
        assert row is not None  # noqa: S101 - the caller has looked
        if row.channel not in channels:
            try:
                channels[row.channel] = get_channel(row.channel)
            except ConfigurationError:
                channels[row.channel] = None
        channel = channels[row.channel]
        if channel is None:
            one.stopped_by = "no_channel"
        elif not row.ambiguous:
            row.address = canonical(row.channel, channel.address_of(contact))
            if not row.address:
                one.stopped_by = "no_address"


def _consent(contact: Contact, letters: Sequence[Letter], moment: datetime) -> None:
    """What this person's answers of today would stop."""
    rows = [one.message for one in letters if one.message is not None]
    consents = Consents(contact.site_id, {(row.channel, row.address) for row in rows})
    topics = Topic.objects.in_bulk({row.topic_id for row in rows if row.topic_id is not None})
    for one in letters:
        row = one.message
        if row is not None and not one.stopped_by:
            one.stopped_by = consents.verdict(row, topics.get(row.topic_id or 0), moment)


def _play(person: Recipient, letters: Sequence[Letter], moment: datetime, until: datetime) -> None:
    """Let the clock run from due moment to due moment, and the arbiter decide at each."""
    todo = {one.message.pk: one for one in letters if one.message is not None}
    now = moment
    for _turn in range(MOST_TURNS):
        waiting = [one.message for one in todo.values() if one.message is not None]
        dues = [row.due_at for row in waiting if row.due_at is not None]
        if not dues:
            return
        now = max(now, min(dues))
        if now > until:
            return
        _decide(person, todo, now)


def _decide(person: Recipient, todo: dict[int, Letter], now: datetime) -> None:
    rows = [one.message for one in todo.values() if one.message is not None]
    present = [
        row for row in rows
        if row.due_at is not None and (row.due_at <= now or row.state == Message.State.DEFERRED)
    ]  # fmt: skip
    for row in list(present):
        if row.expires_at is not None and row.expires_at <= now:
            _end(todo, row, "expired")
        elif row.message_class == MessageClass.TRANSACTIONAL:
            _leave(todo, row, now)
    rest = [row for row in present if row.pk in todo]
    gone = superseded(rest, now)
    for row in rest:
        if row.pk in gone:
            row.state, row.reason = Message.State.CANCELLED, COLLAPSED
            _end(todo, row, code_of(row))
    rest = [row for row in rest if row.pk in todo]
    ruling = Ruling()
    if rest:
        decide_for(person, rest, now, Digests([]), ruling)
    for entrant in ruling.go:
        _leave(todo, entrant.message, now)
    for row, new in ruling.settled:
        apply(row, new, now)
        if new.terminal:
            _end(todo, row, code_of(row))


def _leave(todo: dict[int, Letter], row: Message, now: datetime) -> None:
    todo.pop(row.pk).leaves_at = now


def _end(todo: dict[int, Letter], row: Message, code: str) -> None:
    todo.pop(row.pk).stopped_by = code
