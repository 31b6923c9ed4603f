"""What a letter is rendered from, and what becomes of one that cannot be built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.shop import ADA, journey, line, order, template
from wagtail_triggers.admin.sent import as_sent
from wagtail_triggers.api import Who
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.sites import default_site_id
from wagtail_triggers.messages import letter as letters
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.models import Message, TemplateVersion, TriggersSettings
from wagtail_triggers.messages.render import Rendered
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

pytestmark = pytest.mark.django_db


def thank_you(body: str = "<p>Hello</p>") -> None:
    entry = {"kind": "entry", "event": "order_placed"}
    journey("Thank you", [entry, {"kind": "send", "template": template("Thank you", body)}])


def test_times_in_a_letter_are_the_site_s_where_the_person_s_own_are_not_known() -> None:
    with travelling("2026-05-01 12:00"), captured_messages() as outbox:
        thank_you("<p>It is {{ contact.last_order_at | time }}</p>")
        order("77", line())
        order("78", line(), who=Who(user_id=2, email="b@example.com", time_zone="Asia/Tokyo"))
        TriggersSettings.objects.update_or_create(
            site_id=default_site_id(), defaults={"time_zone": "Europe/Berlin"}
        )
        run_until_idle()
        texts = {letter.address: letter.text for letter in outbox}
    assert "2:00" in texts["ada@example.com"]
    assert "9:00" in texts["b@example.com"]
    message = Message.objects.get(contact__email="ada@example.com")
    assert as_sent(message).exact
    Contact.objects.update(time_zone="America/New_York")
    assert as_sent(Message.objects.get(pk=message.pk)).exact  # as it was sent, not as it would be


def test_letter_that_cannot_be_built_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real = letters.letter

    def letter(version: TemplateVersion, context: Mapping[str, Any]) -> Rendered:
        if context["contact"]["email"] == ADA.email:
            raise ZeroDivisionError("a fault of ours")
        return real(version, context)

    with travelling("2026-05-01 12:00"), captured_messages() as outbox:
        thank_you()
        monkeypatch.setattr(sender, "letter", letter)
        order("77", line())
        order("78", line(), who=Who(user_id=2, email="b@example.com"))
        run_until_idle()
        assert [one.address for one in outbox] == ["b@example.com"]
    failed = Message.objects.get(contact__email="ada@example.com")
    assert (failed.state, failed.reason) == ("failed", "ZeroDivisionError: a fault of ours")
