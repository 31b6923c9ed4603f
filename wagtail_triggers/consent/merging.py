"""When two contacts turn out to be one, what either was sent counts for both."""

from __future__ import annotations

from datetime import datetime

from ..contacts.merge import on_merge
from ..contacts.models import Contact
from .models import SendLedger


@on_merge("consent")
def follow(loser: Contact, winner: Contact, moment: datetime) -> None:
    """Unite both ledgers, and end every permit that was given to one of the two alone.

    What is about to leave is claimed anew, and counted against what both were sent.
    """
    SendLedger.objects.filter(contact_id=loser.pk).update(contact_id=winner.pk)
    SendLedger.objects.filter(contact_id=winner.pk, until__gt=moment).update(until=moment)
