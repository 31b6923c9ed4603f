"""Who gets a person's next slot: collapse, quiet hours, digest and caps, decided together.

Everything that waits for a person takes part, not only what happens to be in the batch: when a
slot becomes free the message with the highest priority gets it, and of two the older one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from ...conf import settings
from ...consent.caps import Use, fits_at, longest_window
from ...consent.quiet import next_quiet, quiet_until, spread
from ...contacts.facts import zone_of
from ...contacts.models import Contact
from ..models import Message
from ..outcomes import Settlement
from . import slots
from .collapse import COLLAPSED, superseded
from .digest import Digests, Entrant
from .rules import SiteRules, rules_of

OVER_CAP: Final = gettext_noop("The person has had enough messages for now; it waits its turn.")
CAP_TOO_LATE: Final = gettext_noop(
    "The person had had enough messages, and by the time that one more fits it is too late."
)
QUIET: Final = gettext_noop("It is quiet time where the person lives; it waits until that is over.")
QUIET_TOO_LATE: Final = gettext_noop(
    "It was quiet time where the person lives, and when that ends it is too late."
)


@dataclass(slots=True)
class Ruling:
    """What was decided about a batch.

    Attributes:
        go: What may be claimed, the most important first.
        settled: What may not, with what becomes of it.
        until: By contact: until when a permit that is given now may hold.
    """

    go: list[Entrant] = field(default_factory=list)
    settled: list[tuple[Message, Settlement]] = field(default_factory=list)
    until: dict[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person for whom messages wait.

    Attributes:
        contact: Who.
        rules: What the site wants of its marketing.
        uses: What they were sent; grows with each slot that is given.
    """

    contact: Contact
    rules: SiteRules
    uses: list[Use]


def arbitrate(
    rows: Sequence[Message],
    contacts: Mapping[int, Contact],
    moment: datetime,
    *,
    decided: Collection[int],
) -> Ruling:
    """Decide which marketing messages may leave now; a fixed number of queries.

    Args:
        rows: Everything that waits for these people and that no guard stops.
        contacts: The people by id, locked.
        moment: Now.
        decided: Messages of theirs about which something else was decided a moment ago.
    """
    ruling = Ruling()
    gone = superseded(rows, moment)
    ruling.settled += [
        (row, Settlement(Message.State.CANCELLED, COLLAPSED)) for row in rows if row.pk in gone
    ]
    waiting: dict[int, list[Message]] = defaultdict(list)
    for row in rows:
        if row.pk not in gone:
            waiting[row.contact_id].append(row)
    if not waiting:
        return ruling
    rules = rules_of({row.site_id for row in rows})
    window = max(longest_window(one.caps) for one in rules.values())
    anew = [row.pk for row in rows if not row.ambiguous]
    used = slots.uses(waiting, moment - window, besides=[*anew, *decided])
    digests = Digests({one.digest for one in rules.values() if one.digest})
    for contact_id, own in waiting.items():
        person = Recipient(contacts[contact_id], rules[own[0].site_id], used.get(contact_id, []))
        decide_for(person, own, moment, digests, ruling)
    ruling.go.sort(key=lambda entrant: entrant.rank)
    return ruling


def decide_for(
    person: Recipient, rows: list[Message], moment: datetime, digests: Digests, ruling: Ruling
) -> None:
    """Decide about one person's messages by quiet hours, digest and caps. Asks no database.

    Args:
        person: Who they are for.
        rows: What waits for them; rows that are not stored will do, with a `pk` to sort by.
        moment: Now.
        digests: The templates of digests.
        ruling: What was decided is added here.
    """
    zone = zone_of(person.contact.time_zone, person.rules.zone)
    quiet = quiet_until(person.rules.quiet, moment, zone)
    if quiet is not None:
        ends = spread(quiet, person.rules.spread, f"{person.contact.pk}")
        ruling.settled += [
            (row, _after_quiet(row, quiet, ends)) for row in rows if _is_due(row, moment)
        ]
        return
    until = moment + settings.lease
    soon = next_quiet(person.rules.quiet, moment, zone)
    ruling.until[person.contact.pk] = until = min(until, soon) if soon is not None else until
    # What may have left keeps its slot: it is only to be made certain.
    ruling.go += [Entrant(row) for row in rows if row.ambiguous and _is_due(row, moment)]
    entrants = digests.entrants(
        [row for row in rows if not row.ambiguous], person.contact, person.rules.digest, OVER_CAP
    )
    for entrant in sorted(entrants, key=lambda one: one.rank):
        channel = entrant.message.channel
        fits = fits_at(person.rules.caps, person.uses, channel, moment)
        if fits > moment:
            surely = [use for use in person.uses if use.final]
            never_before = fits_at(person.rules.caps, surely, channel, moment)
            ruling.settled += [
                (row, new)
                for row in entrant.rows
                if (new := _over_cap(row, fits, never_before, moment)) is not None
            ]
            continue
        person.uses.append(Use(channel, until, final=False))
        # One that waits a moment for something else keeps its slot, unless somebody better comes.
        if entrant.items or _may_go(entrant.message, moment):
            ruling.go.append(entrant)


def _may_go(row: Message, moment: datetime) -> bool:
    """Whether a message with a slot leaves now, also if it was put off until later."""
    return row.state == Message.State.DEFERRED or _is_due(row, moment)


def _is_due(row: Message, moment: datetime) -> bool:
    return row.due_at is not None and row.due_at <= moment


def _after_quiet(row: Message, end: datetime, spread_end: datetime) -> Settlement:
    if row.expires_at is not None and end >= row.expires_at and not row.ambiguous:
        return Settlement(Message.State.EXPIRED, QUIET_TOO_LATE)
    due = spread_end
    if row.expires_at is not None and due >= row.expires_at:
        # Spreading must not cost anybody a message that could still leave.
        due = end + (row.expires_at - end) / 2 if row.expires_at > end else end
    state = Message.State.UNKNOWN if row.ambiguous else Message.State.DEFERRED
    return Settlement(state, QUIET, due_at=due, ambiguous=row.ambiguous, terminal=False)


def _over_cap(
    row: Message, fits: datetime, never_before: datetime, moment: datetime
) -> Settlement | None:
    """What becomes of a message for which there is no slot; None where nothing changes.

    It expires only where what has already left rules it out: a slot that is merely held by another
    message may become free.
    """
    due = fits
    if row.expires_at is not None:
        if never_before >= row.expires_at:
            return Settlement(Message.State.EXPIRED, CAP_TOO_LATE)
        due = max(min(fits, row.expires_at), moment + timedelta(seconds=1))
    if row.state == Message.State.DEFERRED and (row.due_at, row.reason) == (due, OVER_CAP):
        return None
    return Settlement(Message.State.DEFERRED, OVER_CAP, due_at=due, terminal=False)
