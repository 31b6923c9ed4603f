"""A provider that is far away: it takes every mail, and a while to say so."""

from __future__ import annotations

import time
from typing import Any

from tests.benchmarks.nowhere import NowhereChannel
from wagtail_triggers.messages.channels.base import Outcome, Outgoing


class FarChannel(NowhereChannel):
    """The email channel, with a round trip instead of a network.

    Args:
        latency: Seconds of it. Nobody computes meanwhile.
    """

    def __init__(self, *, latency: float = 0.05, **options: Any) -> None:
        super().__init__(**options)
        self.latency = latency

    def send(self, outgoing: Outgoing) -> Outcome:
        """Put the mail together, and wait for the answer."""
        outcome = super().send(outgoing)
        time.sleep(self.latency)
        return outcome
