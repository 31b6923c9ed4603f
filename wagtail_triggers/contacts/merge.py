"""Two contacts that are one person become one. Rooms above move their rows by a handler."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..core.locking import engine_transaction, retrying
from .locking import lock_people
from .models import Contact, Identity

#: Called with (loser, winner, moment), inside the transaction, with both rows locked.
MergeHandler = Callable[[Contact, Contact, datetime], None]

_handlers: dict[str, MergeHandler] = {}


def on_merge(room: str) -> Callable[[MergeHandler], MergeHandler]:
    """Register a room's handler; the room's name tells twins apart."""

    def add(handler: MergeHandler) -> MergeHandler:
        _handlers[room] = handler
        return handler

    return add


@retrying
def merge(loser_id: int, winner_id: int, *, moment: datetime) -> bool:
    """Make `loser` a part of `winner`. The loser's row stays and points to the winner.

    Both rows are locked in the order of their ids. What the winner already says of itself stays;
    what it does not know is taken from the loser.

    Returns:
        Whether there was anything to merge.
    """
    with engine_transaction():
        rows = lock_people(Contact.objects.filter(pk__in=(loser_id, winner_id)))
        loser, winner = rows.get(loser_id), rows.get(winner_id)
        if loser is None or winner is None or loser.pk == winner.pk:
            return False
        # Whoever locked a contact reads `merged_into` again: it may have moved meanwhile.
        if loser.merged_into_id or winner.merged_into_id or loser.site_id != winner.site_id:
            return False
        if loser.erased_at or winner.erased_at:  # nothing of somebody else is given to nobody
            return False
        Identity.objects.filter(contact=loser).update(contact=winner)
        _take_over(loser, winner)
        for _room, handler in sorted(_handlers.items()):
            handler(loser, winner, moment)
        loser.merged_into = winner
        loser.save(update_fields=["merged_into"])
        winner.save()
        # A chain is never longer than one link: whoever pointed to the loser follows.
        Contact.objects.filter(merged_into=loser).update(merged_into=winner)
        return True


def _take_over(loser: Contact, winner: Contact) -> None:
    for name in ("first_name", "last_name", "email", "phone", "language", "time_zone", "birthday"):
        if not getattr(winner, name):
            setattr(winner, name, getattr(loser, name))
            if name in loser.facts_at:
                winner.facts_at.setdefault(name, loser.facts_at[name])
    winner.facts = {**loser.facts, **winner.facts}
    winner.tags = sorted({*loser.tags, *winner.tags})
    winner.score += loser.score
    winner.created_at = min(loser.created_at, winner.created_at)
    for name in ("last_seen_at", "last_order_at"):
        times = [time for time in (getattr(loser, name), getattr(winner, name)) if time]
        setattr(winner, name, max(times, default=None))
