"""A provider that takes its time to say "come back later" is obeyed from its answer on."""

from __future__ import annotations

import time
from typing import Any

from wagtail_triggers.messages import sender
from wagtail_triggers.messages.channels.base import Channel, Outcome, OutcomeKind, Outgoing


class Busy(Channel):
    """Answers after 50 ms."""

    identifier = "email"
    label = "Busy"

    def __init__(self, retry_after: float | None) -> None:
        self.outcome = Outcome(OutcomeKind.NEVER_LEFT, status="429", retry_after=retry_after)

    def send(self, outgoing: Outgoing) -> Outcome:
        time.sleep(0.05)
        return self.outcome

    def address_of(self, contact: Any) -> str:
        return ""


def test_retry_after_of_a_slow_answer_counts_from_the_answer() -> None:
    outcome = sender._send(Busy(30.0), Outgoing("ada@example.com", "", ""))
    assert outcome.retry_after is not None
    assert outcome.retry_after >= 30.05
    assert (outcome.kind, outcome.status) == (OutcomeKind.NEVER_LEFT, "429")


def test_answer_without_a_wait_is_left_as_it_is() -> None:
    channel = Busy(None)
    assert sender._send(channel, Outgoing("ada@example.com", "", "")) is channel.outcome
