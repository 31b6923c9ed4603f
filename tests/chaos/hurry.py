"""Minutes become seconds, for a run that must end today. What is measured stays as it is."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from wagtail_triggers import tasks
from wagtail_triggers.conf import settings
from wagtail_triggers.messages import outcomes, sender

#: Seconds that the product's sender keeps in hand.
MARGIN = 10.0


def up(margin: float) -> None:
    """Shorten the waits between attempts.

    Args:
        margin: Seconds that a sender keeps in hand before its lease ends: 10 in the product, less
            where a small run has a lease of seconds.
    """
    for name, seconds in (("FIRST_RETRY", 2), ("AWAIT_REPORT", 4), ("LONGEST_RETRY", 20)):
        setattr(outcomes, name, timedelta(seconds=seconds))

    def in_time(claim: Any, channel: Any) -> bool:
        left = settings.LEASE_SECONDS - (time.monotonic() - claim.taken_at)
        return bool(left > channel.hard_timeout + margin)

    setattr(sender, "_in_time", in_time)  # noqa: B010 - planted
    if margin < MARGIN:
        setattr(tasks, "TURN_SECONDS", 1.5)  # noqa: B010 - it is Final elsewhere
