"""Notes of what a batch is about to touch, so that a batch that dies does not die for ever.

The note is committed before anything is decided and deleted in the batch's own transaction. After
a crash it stays behind; the reaper then tries its rows one by one and counts that against them. A
counter written inside the batch's transaction would stay 0 through every crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import chain

from ..conf import settings
from .models import BatchAttempt


def busy_ids(kind: str) -> set[int]:
    """Rows that some batch, alive or dead, has announced."""
    notes = BatchAttempt.objects.filter(kind=kind).values_list("ids", flat=True)
    return set(chain.from_iterable(notes))


def announce(kind: str, ids: Sequence[int], moment: datetime) -> BatchAttempt:
    """Commit a note that these rows are about to be worked on. Not inside a transaction."""
    return BatchAttempt.objects.create(
        kind=kind, ids=list(ids), started_at=moment, lease_until=moment + settings.lease
    )


def done(attempt: BatchAttempt) -> None:
    """Delete the note, in the transaction that did the work."""
    BatchAttempt.objects.filter(pk=attempt.pk).delete()


def abandoned(moment: datetime) -> list[BatchAttempt]:
    """Notes whose worker must be dead, the oldest first."""
    return list(BatchAttempt.objects.filter(lease_until__lt=moment).order_by("pk"))
