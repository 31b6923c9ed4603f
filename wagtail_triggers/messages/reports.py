"""What providers report later: delivered, bounced, complained, opened, clicked.

`record` only stores: it takes no lock, so that a provider's call is answered at once, and it may be
given anything in any order, twice, late, or about messages that are not ours. A worker then lets
the reports have their effects (`report_effects.apply_batch`).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..conf import TASK_ROUTE
from ..consent.models import Suppression
from ..core import clock, sites
from ..core.queue import nudge
from .channels.smtp import scrubbed
from .models import MessageEvent

#: What a report of this kind says of the address, where the provider says no more.
_STOPS: Final = {
    MessageEvent.Kind.COMPLAINED.value: Suppression.Reason.COMPLAINED.value,
    MessageEvent.Kind.UNSUBSCRIBED.value: Suppression.Reason.UNSUBSCRIBED.value,
}


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that a provider tells of one message to one recipient.

    Attributes:
        kind: A value of `MessageEvent.Kind`.
        provider: Its name, such as "Postmark"; part of the uniqueness of `event_id`.
        at: When it happened, aware; None where the provider does not say.
        event_id: The provider's id of this report, or "". A second one with it is ignored.
        public_id: Our own id of the message, if the provider gave it back (`wt_id` of the
            metadata), or "".
        provider_message_id: The provider's id of the message, or "".
        detail: The provider's words; addresses in it are not kept.
        url: The link that was clicked, or "".
        machine: The provider says that no person did this.
        stops: Why the address must be suppressed: "bounced" (no such address; it will be the same
            tomorrow), "complained" or "unsubscribed". A complaint and an unsubscribe say it by
            their kind. A bounce of today alone, such as a full mailbox, stops nothing.
        body: The provider's raw words, where nothing else tells two reports apart; not kept.
    """

    kind: str
    provider: str
    at: datetime | None = None
    event_id: str = ""
    public_id: str = ""
    provider_message_id: str = ""
    detail: str = ""
    url: str = ""
    machine: bool = False
    stops: str = ""
    body: str = ""

    @property
    def unique_id(self) -> str:
        """What makes this report the same as another one of this provider.

        Some providers use one id for a message's whole life, so that the kind belongs to it.
        """
        if self.event_id:
            plain = f"{self.kind}:{self.event_id}"
            return plain if len(plain) <= 128 else _digest(plain)
        when = self.at.isoformat() if self.at else self.body
        told = (self.kind, self.public_id, self.provider_message_id, when, self.url, self.detail)
        return _digest("\0".join(told))


def record(reports: Iterable[Report], *, site: object = None) -> None:
    """Store reports, each one once, and hint at a worker; three statements for any number.

    Args:
        reports: In any order, doubled, late, or about messages that are not ours.
        site: Whose webhook it was (a Wagtail Site or its id); a report about a message of ours
            belongs to that message's site, whatever is said here.

    Raises:
        DatabaseError: Nothing was stored. Let the provider have an error, and it tries again.
    """
    moment = clock.now()
    site_id = sites.site_id(site)
    rows = _once(_row(report, site_id, moment) for report in reports)
    if not rows:
        return
    MessageEvent.objects.bulk_create(rows, ignore_conflicts=True)
    nudge(TASK_ROUTE)


def _once(rows: Iterable[MessageEvent]) -> Sequence[MessageEvent]:
    """In the order of their unique key, so that two webhooks never wait for each other in turn."""
    found = {(row.provider, row.provider_event_id): row for row in rows}
    return [found[key] for key in sorted(found)]


def _row(report: Report, site_id: int, moment: datetime) -> MessageEvent:
    kinds = MessageEvent.Kind.values
    named = _named(report)
    return MessageEvent(
        site_id=site_id,
        kind=report.kind if report.kind in kinds else MessageEvent.Kind.OTHER,
        at=_not_later(report.at, moment),
        recorded_at=moment,
        provider=_text(report.provider, 32),
        provider_event_id=_text(report.unique_id, 128),
        provider_message_id=_text(report.provider_message_id, 255),
        public_id=named,
        detail=scrubbed(_text(report.detail, 2_000)),
        url=scrubbed(_text(report.url, 2_000)) if "@" in report.url else _text(report.url, 2_000),
        machine=report.machine,
        stops=report.stops or _STOPS.get(report.kind, ""),
        due_at=moment if named or report.provider_message_id else None,
    )


def _named(report: Report) -> uuid.UUID | None:
    """Our id of the message: given back as such, or inside the `Message-ID` that we chose."""
    for text in (report.public_id, report.provider_message_id.strip("<> ").partition("@")[0]):
        if len(text) == 36:
            try:
                return uuid.UUID(text)
            except ValueError:
                continue
    return None


def _not_later(at: datetime | None, moment: datetime) -> datetime:
    """The provider's clock may be ahead of ours; nothing has happened in the future."""
    if at is None or at.tzinfo is None:
        return moment
    return min(at, moment)


def _text(text: str, length: int) -> str:
    """Text that every database takes: without NULs and broken surrogates, cut."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:length]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
