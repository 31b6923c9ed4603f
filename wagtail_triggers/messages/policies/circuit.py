"""Stop trying while a channel's account fails: marketing first, everything if nothing works.

A provider that is down is not helped by more attempts, and each costs a worker its time. Whatever a
person waits for goes on for longer, and so finds out when the provider is back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from ...core import clock
from ...core.locking import engine_transaction, locked, retrying
from ..models import Circuit, MessageClass

logger = logging.getLogger("wagtail_triggers.sender")

#: So many attempts are looked back at.
WINDOW: Final = 20
#: So many of them must have failed before marketing stops, and before everything does.
BULK_STOPS: Final = WINDOW // 2
ALL_STOPS: Final = WINDOW * 9 // 10
#: So many in a row that work prove that it is back.
PROOF: Final = "..."
#: For how long it stops: this at first, twice as long each time that it fails again.
FIRST_STOP: Final = timedelta(minutes=1)
LONGEST_STOP: Final = timedelta(minutes=10)


def look(message_class: str, moment: datetime) -> tuple[list[str], list[str]]:
    """The channels through which nothing of a lane is tried now, and those that failed lately.

    One query on a table with a row for each channel that has ever failed.
    """
    closed, shaky = [], []
    for row in Circuit.objects.all():
        until = row.bulk_until if message_class == MessageClass.MARKETING else row.all_until
        if until is not None and until > moment:
            closed.append(row.name)
        if "x" in row.recent:
            shaky.append(row.name)
    return closed, shaky


def note(attempts: Mapping[str, str], shaky: Collection[str]) -> None:
    """Take in how the attempts of a batch went; nothing is written where all is well.

    Args:
        attempts: By channel, one letter for each attempt, in order: "x" failed, "." did not.
        shaky: Channels that failed lately.
    """
    for name, letters in sorted(attempts.items()):
        if "x" in letters or (letters and name in shaky):
            _write(name, letters)


@retrying
def _write(name: str, letters: str) -> None:
    with engine_transaction():
        moment = clock.now()
        Circuit.objects.get_or_create(name=name)
        row = locked(Circuit.objects.filter(name=name)).get()
        row.recent = (row.recent + letters)[-WINDOW:]
        failed = row.recent.count("x")
        if row.recent.endswith(PROOF) and row.openings:
            logger.info("The channel %s works again", name)
            row.recent, row.openings, row.bulk_until, row.all_until = "", 0, None, None
        elif failed >= BULK_STOPS and "x" in letters:
            if row.bulk_until is None or row.bulk_until <= moment:
                row.openings += 1
                logger.error("%d of the last attempts through %s failed: it pauses", failed, name)
            stop = min(LONGEST_STOP, FIRST_STOP * 2 ** min(row.openings - 1, 10))
            row.bulk_until = moment + stop
            row.all_until = moment + stop / 4 if failed >= ALL_STOPS else None
        row.save()
