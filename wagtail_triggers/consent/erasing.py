"""What an erased person agreed to: only a keyed hash of the address stays.

It keeps marketing from an address that is imported again, and proves what was once agreed to, to
whoever brings the address. Links in letters that were sent go on working by it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ..contacts.erasing import Eraser, Subject, on_erasure
from .addresses import canonical, current_hash, hashes
from .models import ConsentEvent, LinkToken, Subscription, Suppression

#: Stands before the hash in the consent record, in the place of the address.
HASHED: Final = "erased:"


def _stop(subject: Subject, addresses: Collection[tuple[str, str]]) -> dict[str, int]:
    """Suppress every address of the person, and forget it; five statements for each."""
    found = {"subscription": 0, "consentevent": 0, "linktoken": 0, "suppression": 0}
    known = {(channel, canonical(channel, address)) for channel, address in addresses}
    for channel, address in sorted(known):
        here = {"site_id": subject.site_id, "channel": channel}
        found["suppression"] += _suppress(subject, channel, address)
        subscriptions = Subscription.objects.filter(**here, address=address)
        found["subscription"] += subscriptions.delete()[0]
        digest = current_hash(channel, address)
        found["consentevent"] += ConsentEvent.objects.filter(**here, address=address).update(
            address=f"{HASHED}{digest}"
        )
        found["linktoken"] += (
            LinkToken.objects.filter(**here, address_hash__in=hashes(channel, address))
            .exclude(address="")
            .update(address="")
        )
    return found


def _suppress(subject: Subject, channel: str, address: str) -> int:
    """Stop marketing to the address for good; 0 where that had been done.

    A wider or another reason stays. One that the next subscription would take back does not.
    """
    digest = current_hash(channel, address)
    row, created = Suppression.objects.get_or_create(
        site_id=subject.site_id,
        channel=channel,
        address_hash=digest,
        defaults={
            "scope": Suppression.Scope.MARKETING,
            "reason": Suppression.Reason.ERASED,
            "created_at": subject.moment,
        },
    )
    if not created and row.reason != Suppression.Reason.UNSUBSCRIBED:
        return 0
    if not created:
        row.reason = Suppression.Reason.ERASED
        row.save(update_fields=["reason"])
    ConsentEvent.objects.create(
        site_id=subject.site_id,
        channel=channel,
        address=f"{HASHED}{digest}",
        action=Suppression.Reason.ERASED,
        source="erasure",
        at=subject.moment,
    )
    return 1


on_erasure("consent", Eraser(stop=_stop))
