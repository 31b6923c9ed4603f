"""Take people's rows: whoever changes what may happen to a person does this first.

The rows are taken in the order of their ids, so that two who want the same people never wait for
each other in a circle. What was read before is to be read again in a statement of its own.
"""

from __future__ import annotations

from django.db.models import QuerySet

from ..core.locking import locked
from .models import Contact


def lock_people(people: QuerySet[Contact], *, skip_locked: bool = False) -> dict[int, Contact]:
    """Lock these contacts, and load them; inside a transaction.

    Args:
        people: Which.
        skip_locked: Leave out whom somebody else holds, instead of waiting.

    Returns:
        The contacts that are ours now, by id.
    """
    return {row.pk: row for row in locked(people, skip_locked=skip_locked).order_by("pk")}


def lock_ids(people: QuerySet[Contact], *, skip_locked: bool = False) -> list[int]:
    """Lock these contacts as `lock_people` does, and load nothing but their ids."""
    rows = locked(people, skip_locked=skip_locked).order_by("pk")
    return list(rows.values_list("pk", flat=True))
