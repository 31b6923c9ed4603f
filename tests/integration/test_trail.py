"""What put a message off is kept on the message, in order; what repeats itself is a count."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.shop import ADA, journey, template, topic
from wagtail_triggers.api import subscribe, track
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.outcomes import Settlement
from wagtail_triggers.messages.trail import LONGEST, longer
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

pytestmark = pytest.mark.django_db


def news(count: int, clock: FrozenClock) -> None:
    """So many marketing letters to Ada, planned at once."""
    letter = template("News", kind=MessageClass.MARKETING, topic=topic())
    subscribe(ADA, "news", source="form")
    for number in range(count):
        registered = {"kind": "entry", "event": "user_registered"}
        journey(f"News {number}", [registered, {"kind": "send", "template": letter}])
    track("user_registered", contact=ADA)
    run_until_idle()


def test_trail_of_a_message_over_the_cap_says_why_and_until_when() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        news(4, clock)
        late = Message.objects.get(state=Message.State.DEFERRED)
        (entry,) = late.trail
        assert (entry["state"], entry["at"]) == ("deferred", clock.moment.isoformat())
        assert entry["reason"] == late.reason
        assert late.due_at is not None
        assert entry["until"] == late.due_at.isoformat()
        assert [row.trail for row in Message.objects.exclude(pk=late.pk)] == [[], [], []]


def test_trail_of_what_repeats_itself_counts_and_keeps_its_first_moment() -> None:
    row = Message()
    with travelling("2026-05-01 12:00") as clock:
        first = clock.moment
        for _turn in range(3):
            row.trail = longer(row, Settlement("deferred", "Quiet."), clock.moment)
            clock.travel(timedelta(minutes=1))
        (entry,) = row.trail
        assert (entry["at"], entry["times"]) == (first.isoformat(), 3)
        for number in range(100):
            row.trail = longer(row, Settlement("retry_at", f"{number}"), clock.moment)
    assert len(row.trail) == LONGEST
    assert (row.trail[0]["reason"], row.trail[-1]["reason"]) == ("Quiet.", "99")
