"""An address is suppressed by hand: marketing, or everything, and for as long as it is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.shop import ADA, journey, line, order, template, topic
from wagtail_triggers import api
from wagtail_triggers.api import Who
from wagtail_triggers.consent.addresses import current_hash
from wagtail_triggers.consent.models import (
    Suppression,
    Topic,
)
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.sites import default_site_id
from wagtail_triggers.exceptions import InvalidEvent
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import MessageClass
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _world(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    """The clock stands still, and nothing leaves."""


@pytest.fixture
def letters() -> None:
    """A receipt for every order, and two days later a question, if nobody objects."""
    soft = topic("soft", consent=Topic.Consent.SOFT)
    receipt = template("Receipt")
    question = template("How was it?", kind=MessageClass.MARKETING, topic=soft)
    journey("Orders", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": receipt},
        {"kind": "wait", "amount": 2, "unit": "days"}, {"kind": "send", "template": question},
    ])  # fmt: skip


def test_suppress_stops_marketing_to_an_address_without_making_a_contact(
    letters: None, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    assert api.suppress("ADA@example.com", source="old system") is True
    assert api.suppress("ada@example.com") is False
    assert not Contact.objects.exists()
    order("1", line())
    run_until_idle()
    clock.travel(timedelta(days=3))
    run_until_idle()
    assert [one.subject for one in outbox] == ["Receipt"]


def test_suppress_everything_stops_receipts_and_is_never_narrowed(
    letters: None, outbox: list[Outgoing]
) -> None:
    assert api.suppress("ada@example.com") is True
    assert api.suppress("ada@example.com", everything=True) is True
    assert api.suppress("ada@example.com") is False
    order("1", line())
    run_until_idle()
    assert outbox == []
    assert Suppression.objects.get().scope == "all"


def test_suppress_is_not_taken_back_by_a_subscription() -> None:
    topic("news")
    Suppression.objects.create(
        site_id=default_site_id(), channel="email", scope="marketing", reason="unsubscribed",
        address_hash=current_hash("email", "ada@example.com"), created_at="2026-01-01T00:00Z",
    )  # fmt: skip
    assert api.suppress(ADA) is True
    api.subscribe(ADA, "news")
    run_until_idle()
    assert Suppression.objects.get().reason == "manual"


def test_suppress_without_an_address_says_what_to_pass() -> None:
    with pytest.raises(InvalidEvent, match=r"Who\(email=…\)"):
        api.suppress(Who(user_id=1))
