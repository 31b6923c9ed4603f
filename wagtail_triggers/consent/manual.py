"""Stop an address by hand: a shop's own list of those who must not be written to."""

from __future__ import annotations

from ..core import clock
from .addresses import current_hash
from .models import ConsentEvent, Suppression

#: As the consent record says it, and as long as it can be.
_LONGEST_SOURCE = 128


def suppress_address(
    site_id: int, channel: str, address: str, *, everything: bool, source: str
) -> bool:
    """Suppress an address in the caller's transaction, which need not hold any contact's lock.

    A suppression is never narrowed, and one that a subscription would take back becomes one that
    stays. Senders see it from the caller's commit on.

    Args:
        site_id, channel: Where.
        address: Normalised.
        everything: Every message, not only marketing.
        source: Who wanted it, in words.

    Returns:
        Whether anything is different now.
    """
    scope = Suppression.Scope.ALL if everything else Suppression.Scope.MARKETING
    now = clock.now()
    row, created = Suppression.objects.get_or_create(
        site_id=site_id,
        channel=channel,
        address_hash=current_hash(channel, address),
        defaults={"scope": scope, "reason": Suppression.Reason.MANUAL, "created_at": now},
    )
    if not created:
        wider = everything and row.scope != scope
        if not wider and row.reason != Suppression.Reason.UNSUBSCRIBED:
            return False
        row.scope = scope if wider else row.scope
        row.reason = Suppression.Reason.MANUAL
        row.save(update_fields=["scope", "reason"])
    ConsentEvent.objects.create(
        site_id=site_id,
        channel=channel,
        address=address,
        action=Suppression.Reason.MANUAL,
        source=source[:_LONGEST_SOURCE],
        at=now,
    )
    return True
