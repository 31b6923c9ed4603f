"""In a catch-up the newest letter of a journey leaves, also where it has only just become due."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.shop import cart, journey, line, template, topic
from wagtail_triggers.api import Who
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.policies.collapse import COLLAPSED
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

ADA = Who(user_id=1, email="ada@example.com")


def test_overdue_letter_yields_to_one_of_its_journey_that_has_just_become_due(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    soft = topic("carts", consent=Topic.Consent.SOFT)
    key = template("Your cart", kind=MessageClass.MARKETING, topic=soft)
    journey("Carts", [
        {"kind": "entry", "event": "cart_abandoned"}, {"kind": "send", "template": key},
    ])  # fmt: skip
    cart("old", line(), who=ADA)
    clock.travel(timedelta(hours=10))  # nobody works
    cart("new", line(), who=ADA)
    clock.travel(timedelta(minutes=61))
    run_until_idle()
    states = dict(Message.objects.values_list("subject_id", "state"))
    assert states == {"old": "cancelled", "new": "accepted"}
    assert Message.objects.get(subject_id="old").reason == COLLAPSED
    assert len(outbox) == 1
