"""A letter about an order that was cancelled since is not sent, also by a run that has ended."""

from __future__ import annotations

import pytest

from tests.shop import journey, line, order, template, topic
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

ADA = Who(user_id=1, email="ada@example.com")


def letter_after(event: str) -> None:
    """A marketing letter that answers an event; its run ends at once."""
    soft = topic("soft", consent=Topic.Consent.SOFT)
    key = template(f"After {event}", kind=MessageClass.MARKETING, topic=soft)
    journey(event, [{"kind": "entry", "event": event}, {"kind": "send", "template": key}])


def undo(name: str, order_id: str = "o1") -> None:
    """The shop cancels or refunds an order."""
    track(name, contact=ADA, key=order_id, payload={"order_id": order_id, "number": "#1"})


@pytest.mark.parametrize("name", ["order_cancelled", "order_refunded"])
def test_letter_about_an_order_that_was_undone_meanwhile_is_cancelled(
    outbox: list[Outgoing], name: str
) -> None:
    letter_after("order_placed")
    order("o1", line(), who=ADA)
    order("o2", line(), who=ADA)
    route_batch()
    run_due()
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"completed"}
    undo(name)
    run_until_idle()
    states = dict(Message.objects.values_list("subject_id", "state"))
    assert states == {"o1": "cancelled", "o2": "accepted"}
    reason = Message.objects.get(subject_id="o1").reason
    assert reason == "The order was cancelled or refunded."
    assert len(outbox) == 1


def test_letter_that_answers_the_cancellation_itself_is_sent(outbox: list[Outgoing]) -> None:
    letter_after("order_cancelled")
    order("o1", line(), who=ADA)
    undo("order_cancelled")
    run_until_idle()
    assert [one.subject for one in outbox] == ["After order_cancelled"]
