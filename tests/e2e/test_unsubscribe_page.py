"""The page behind an unsubscribe link, as the person sees it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.shop import topic
from wagtail_triggers.consent.addresses import current_hash
from wagtail_triggers.consent.models import LinkToken, Subscription, Suppression
from wagtail_triggers.core import clock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def link(live_server: Any) -> str:
    """The address in a letter to Ada about news."""
    news = topic("news")
    row = LinkToken.objects.create(
        site_id=news.site_id,
        channel="email",
        topic=news,
        address="ada@example.com",
        address_hash=current_hash("email", "ada@example.com"),
        created_at=clock.now(),
    )
    return f"{live_server.url}/triggers/u/{row.token}/"


def test_unsubscribe_page_opened_changes_nothing_and_its_button_stops_the_topic(
    link: str, browser_page: Any
) -> None:
    browser_page.goto(link)
    assert browser_page.locator("h1").inner_text() == "Stop these mails?"
    assert "ada@example.com" in browser_page.content()
    assert not Subscription.objects.exists()
    browser_page.get_by_role("button", name="Stop “News”").click()
    assert browser_page.get_by_role("status").inner_text().startswith("You will get no more “News”")
    row = Subscription.objects.get()
    assert (row.address, row.state) == ("ada@example.com", "unsubscribed")
    assert not Suppression.objects.exists()


def test_unsubscribe_page_everything_by_keyboard_on_a_phone(link: str, browser_page: Any) -> None:
    browser_page.set_viewport_size({"width": 320, "height": 640})
    browser_page.goto(link)
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 320
    browser_page.keyboard.press("Tab")
    browser_page.keyboard.press("Tab")
    browser_page.keyboard.press("Enter")
    browser_page.get_by_role("status").wait_for()
    row = Suppression.objects.get()
    assert (row.scope, row.reason) == ("marketing", "unsubscribed")
