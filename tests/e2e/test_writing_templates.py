"""Writing a template in a real browser: variables, previews as other people, tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.shop import ADA, cart, line, template
from wagtail_triggers.messages.models import Template, Trial
from wagtail_triggers.testing import captured_messages, run_until_idle


@pytest.fixture
def admin(live_server: Any, browser_page: Page) -> Iterator[Page]:
    """A superuser's page in the admin; fails if a page breaks a policy."""
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


def test_variable_is_picked_by_keyboard_into_subject_and_rich_text(
    admin: Page, live_server: Any
) -> None:
    template("Thank you", "<p>Hello</p>")
    row = Template.objects.get()
    row.event = "order_placed"
    row.body = [("text", "<p>Hello </p>")]
    row.save_revision()
    admin.goto(live_server.url + reverse("triggers_templates:edit", args=[row.pk]))
    subject = admin.locator("#id_subject")
    subject.focus()
    subject.press("End")
    subject.press("Tab")
    button = admin.get_by_role("button", name="Insert a variable: Subject")
    expect(button).to_be_focused()
    admin.keyboard.press("Enter")
    dialog = admin.get_by_role("dialog", name="Insert a variable")
    search = dialog.get_by_role("combobox")
    expect(search).to_be_focused()
    search.press_sequentially("order.total")
    expect(dialog.get_by_role("option")).to_have_count(1)
    expect(dialog.get_by_role("option")).to_contain_text("order.total")
    expect(dialog.get_by_role("option")).to_contain_text("€74.70")
    search.press("Enter")
    expect(dialog).to_be_hidden()
    expect(subject).to_have_value("Thank you{{ order.total | money }}")
    expect(subject).to_be_focused()
    # What it comes to is told while somebody writes.
    hint = admin.locator("#id_subject-measure")
    expect(hint).to_contain_text("15 characters; Gmail on a computer shows about 70")
    subject.fill("RE: {{ order.total | money }}")
    expect(hint).to_contain_text("looks like an answer")

    # Another event offers other data, before anything is saved.
    admin.get_by_role("tab", name="Settings").click()
    admin.locator("#id_event").select_option("order_shipped")
    admin.get_by_role("tab", name="Mail").click()
    admin.locator(".Draftail-Editor [contenteditable=true]").first.click()
    admin.keyboard.press("End")
    admin.locator('[data-contentpath="body"] .triggers-insert').first.click()
    search.press_sequentially("tracking number")
    search.press("ArrowDown")
    search.press("ArrowUp")
    expect(dialog.get_by_role("option", selected=True)).to_contain_text("tracking_number")
    dialog.get_by_role("radio").nth(1).check()
    dialog.get_by_role("button", name="Insert", exact=True).click()
    expect(admin.locator(".Draftail-Editor [contenteditable=true]").first).to_contain_text(
        "tracking_number | default: '…' }}"
    )


def test_preview_is_drawn_for_a_persona_and_for_a_contact(admin: Page, live_server: Any) -> None:
    template("Hello {{ contact.first_name }}", "<p>Hi {{ contact.first_name }}</p>")
    with captured_messages():
        cart("12", line(), who=ADA)
        run_until_idle()
    row = Template.objects.get()
    admin.goto(live_server.url + reverse("triggers_templates:edit", args=[row.pk]))
    admin.get_by_role("button", name="Toggle preview").click()
    panel = admin.frame_locator("iframe[title='Preview']").last
    expect(panel.locator(".triggers-inbox__subject")).to_have_text("Hello Anna")
    reader = admin.get_by_label("Read by")
    reader.select_option("persona:ru")
    expect(panel.locator(".triggers-inbox__subject")).to_have_text("Hello Екатерина")
    reader.select_option("contact")
    words = admin.get_by_label("Name or address")
    expect(words).to_be_focused()
    words.fill("lovelace")
    admin.get_by_role("button", name="Ada Lovelace").click()
    expect(panel.locator(".triggers-inbox__subject")).to_have_text("Hello Ada")
    expect(reader.locator("option:checked")).to_have_text("Ada Lovelace")
    admin.get_by_label("Preview mode").select_option("phone")
    expect(panel.locator(".triggers-preview--phone")).to_be_visible()
    expect(panel.frame_locator("iframe").locator("body")).to_contain_text("Hi Ada")

    admin.get_by_role("link", name="Send a test").click()
    expect(admin.get_by_role("textbox", name="To")).to_have_value("chief@example.com")
    expect(admin.get_by_label("With the data of")).to_have_value("previewed")
    admin.get_by_role("button", name="Send the test").click()
    expect(admin.locator(".messages")).to_contain_text("on its way to chief@example.com")
    expect(admin.locator("table.listing")).to_contain_text("[Test] Hello {{")
    assert Trial.objects.get().state == Trial.State.ACCEPTED
