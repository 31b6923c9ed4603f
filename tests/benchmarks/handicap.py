"""A channel that dawdles: it shows that the end-to-end benchmark notices a slow-down."""

from __future__ import annotations

import os
import time

from wagtail_triggers.messages.channels.base import Outcome, Outgoing
from wagtail_triggers.messages.channels.email import EmailChannel


class SlowEmailChannel(EmailChannel):
    """The email channel, later by `TRIGGERS_BENCH_HANDICAP` seconds."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Sleep, then send."""
        time.sleep(float(os.environ["TRIGGERS_BENCH_HANDICAP"]))
        return super().send(outgoing)
