"""A task in a real browser: found in the menu, read, decided with a note."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.integration.asking import TASK, forked
from tests.shop import ADA, line, order
from wagtail_triggers.engine.models import StepRun, Task
from wagtail_triggers.testing import captured_messages, run_until_idle


@pytest.fixture
def admin(live_server: Any, browser_page: Page) -> Iterator[Page]:
    """A superuser's page in the admin; fails if our pages break a policy."""
    User.objects.create_superuser("chief", "chief@example.com", "x")
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    browser_page.on("console", heard)
    browser_page.goto(f"{live_server.url}/admin/login/")
    browser_page.fill("#id_username", "chief")
    browser_page.fill("#id_password", "x")
    browser_page.click("button[type=submit]")
    browser_page.wait_for_url("**/admin/")
    yield browser_page
    assert complaints == []


@pytest.mark.parametrize("width", [1280, 390])
def test_task_is_found_in_the_menu_decided_once_and_gone(
    admin: Page, live_server: Any, width: int
) -> None:
    with captured_messages():
        forked(TASK, {"approve": [], "decline": [], "timeout": []}, name="Checks")
        order("77", line(), who=ADA)
        run_until_idle()
        admin.goto(f"{live_server.url}/admin/")
        admin.get_by_role("button", name="Triggers").click()
        admin.get_by_role("link", name="Tasks", exact=True).click()
        admin.set_viewport_size({"width": width, "height": 900})
        admin.get_by_role("link", name="Check the order").click()
        expect(admin.get_by_text("Is the address complete?")).to_be_visible()
        expect(admin.get_by_role("link", name="Ada Lovelace")).to_be_visible()
        admin.get_by_label("Note").fill("The street is missing.")
        wide = admin.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        admin.get_by_role("button", name="Decline").click()
        expect(admin.get_by_text("“Check the order”: Decline. The run goes on.")).to_be_visible()
        expect(admin.get_by_text("Nothing waits for a decision.")).to_be_visible()
        run_until_idle()
    task = Task.objects.get()
    assert (task.result["choice"], task.result["note"]) == ("decline", "The street is missing.")
    assert StepRun.objects.get(node="ask", decision="advance").port == "decline"
