"""A channel whose mails are put together, and go nowhere: for what is not about the network."""

from __future__ import annotations

from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.channels.email import EmailChannel
from wagtail_triggers.messages.mime import build_mail

CHANNELS = {"email": {"BACKEND": "tests.benchmarks.nowhere.NowhereChannel"}}


class NowhereChannel(EmailChannel):
    """The email channel without its last step."""

    def open(self) -> None:
        """There is nothing to open."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Put the mail together, and forget it."""
        build_mail(outgoing)
        return Outcome(OutcomeKind.ACCEPTED, status="sent")
