"""The admin in a real browser: writing a journey, reading a message, and nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import ConsoleMessage, Dialog, Page, Route, expect

from tests.shop import cart, journey, line, template, topic
from wagtail_triggers.api import Who, subscribe
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message, MessageClass, Template
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
STRICT = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:"
MALLORY = Who(user_id=9, email="m@example.com", first_name=EVIL, last_name=EVIL)


@pytest.fixture
def admin(live_server: Any, browser_page: Page) -> Iterator[Page]:
    """A superuser's page in the admin; fails if our pages break a policy or open a dialog."""
    User.objects.create_superuser("chief", "chief@example.com", "x")
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "violates" in message.text:
            complaints.append(message.text)

    def opened(dialog: Dialog) -> None:
        complaints.append(dialog.message)
        dialog.dismiss()

    browser_page.on("console", heard)
    browser_page.on("dialog", opened)
    browser_page.goto(f"{live_server.url}/admin/login/")
    browser_page.fill("#id_username", "chief")
    browser_page.fill("#id_password", "x")
    browser_page.click("button[type=submit]")
    browser_page.wait_for_url("**/admin/")
    yield browser_page
    assert complaints == []


def open_page(admin: Page, live_server: Any, view: str, *args: int) -> None:
    admin.goto(live_server.url + reverse(view, args=args))


def reminder_for(who: Who) -> Message:
    """Send a cart reminder to `who`, made two hours after the cart was left."""
    carts = topic("carts")
    key = template(
        "{{ contact.first_name }}, you left something",
        "<p>Hello {{ contact.first_name }}</p>"
        "<p>{% for line in cart.lines %}{{ line.name }}{% endfor %}</p>",
        kind=MessageClass.MARKETING,
        topic=carts,
    )
    entry = {"kind": "entry", "event": "cart_abandoned"}
    journey("Abandoned cart", [entry, {"kind": "send", "template": key}])
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        subscribe(who, "carts", source="checkout")
        cart("12", line(EVIL), who=who)
        run_until_idle()
        clock.travel(timedelta(hours=2))
        run_until_idle()
    return Message.objects.get()


def test_journey_is_written_against_its_outline_and_published(
    admin: Page, live_server: Any
) -> None:
    key = template("Thank you")
    open_page(admin, live_server, "triggers_journeys:add")
    admin.fill("#id_name", "After an order")
    admin.get_by_role("button", name="Text", exact=True).click()
    source, outline = admin.locator("#id_graph"), admin.locator(".triggers-graph__outline")
    expect(outline).to_contain_text("Nothing stands in the way of publishing.")

    sound = source.input_value()
    source.fill(sound.replace("order_placed", "order_plcaed"))
    expect(outline).to_contain_text("Did you mean “order_placed”?")
    outline.get_by_role("link", name="start").last.click()
    chosen = source.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
    assert chosen == '"id": "start"'

    source.fill(sound + "}")
    expect(outline).to_contain_text("this is not valid JSON")
    expect(outline).to_contain_text("End")  # the last outline stays beneath
    expect(source).to_have_attribute("aria-invalid", "true")

    mail = f'{{"id": "mail", "kind": "send", "settings": {{"template": "{key}"}}}},'
    source.fill(
        sound.replace('{"id": "end"', mail + '{"id": "end"')
        .replace('"target": "end"', '"target": "mail"')
        .replace('"mail"}', '"mail"}, {"source": "mail", "port": "next", "target": "end"}')
    )
    expect(outline).to_contain_text("Send “Thank you”")
    expect(source).not_to_have_attribute("aria-invalid", "true")
    # Wagtail has saved the draft by itself and goes on at its own address.
    admin.wait_for_url("**/triggers/journeys/edit/*/")
    admin.get_by_role("button", name="More actions").click()
    admin.get_by_role("button", name="Publish").click()
    expect(admin.locator(".messages")).to_contain_text("published")
    row = Journey.objects.get()
    assert row.live_version is not None
    assert [node["id"] for node in row.live_version.graph["nodes"]] == ["start", "mail", "end"]


def test_enter_in_the_graph_keeps_the_indentation(admin: Page, live_server: Any) -> None:
    open_page(admin, live_server, "triggers_journeys:add")
    admin.get_by_role("button", name="Text", exact=True).click()
    source = admin.locator("#id_graph")
    source.fill('{\n  "nodes": [')
    source.press("End")
    source.press("Enter")
    source.type("x")
    assert source.input_value() == '{\n  "nodes": [\n    x'
    source.press("Tab")
    assert not source.evaluate("field => field === document.activeElement")


def test_template_preview_shows_the_mail_in_wagtails_panel(admin: Page, live_server: Any) -> None:
    template("Thank you, {{ contact.first_name }}", "<h1>Hello {{ contact.first_name }}</h1>")
    row = Template.objects.get()
    open_page(admin, live_server, "triggers_templates:edit", row.pk)
    admin.get_by_role("button", name="Toggle preview").click()
    panel = admin.frame_locator("iframe[title='Preview']").first
    expect(panel.locator(".triggers-inbox__subject")).to_have_text("Thank you, Anna")
    expect(panel.frame_locator("iframe").locator("h1")).to_have_text("Hello Anna")


def test_message_is_shown_as_it_was_sent_and_nothing_in_it_runs(
    admin: Page, live_server: Any
) -> None:
    message = reminder_for(MALLORY)
    open_page(admin, live_server, "triggers_messages:inspect", message.pk)
    body = admin.frame_locator("iframe.triggers-frame")
    expect(body.locator("body")).to_contain_text(EVIL)
    expect(admin.locator(".triggers-subject")).to_contain_text("you left something")
    expect(admin.get_by_text("This is what the message looks like today")).to_have_count(0)
    assert (
        admin.evaluate(
            "() => { try { return document.querySelector('.triggers-frame').contentDocument } "
            "catch { return null } }"
        )
        is None
    )


def test_contact_with_markup_for_a_name_is_text_on_every_page(
    admin: Page, live_server: Any
) -> None:
    message = reminder_for(MALLORY)
    contact = Contact.objects.get()
    open_page(admin, live_server, "triggers_contacts:inspect", contact.pk)
    expect(admin.locator(".triggers-timeline__entry").first).to_be_visible()
    expect(admin.locator("h1")).to_contain_text(EVIL)
    for space in ("contacts", "enrolments", "messages", "events"):
        open_page(admin, live_server, f"triggers_{space}:index")
        expect(admin.locator("table.listing")).to_contain_text(EVIL)
    open_page(admin, live_server, "triggers_enrolments:inspect", message.enrolment_id or 0)
    expect(admin.locator(".triggers-timeline__entry").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_in_a_narrow_window_do_not_need_scrolling_sideways(
    scheme: Any, admin: Page, live_server: Any
) -> None:
    message = reminder_for(MALLORY)
    admin.set_viewport_size({"width": 390, "height": 844})
    admin.emulate_media(color_scheme=scheme)
    for view, args in (
        ("triggers_journeys:list", []),
        ("triggers_contacts:inspect", [message.contact_id]),
        ("triggers_messages:inspect", [message.pk]),
        ("triggers_events:inspect", [message.event_id or 0]),
        ("triggers_enrolments:index", []),
    ):
        open_page(admin, live_server, view, *args)
        admin.locator("main").wait_for()
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert admin.evaluate(width) == 0, view


def test_pages_under_a_strict_policy_break_none_of_it(browser_page: Page, live_server: Any) -> None:
    message = reminder_for(MALLORY)
    User.objects.create_superuser("chief", "chief@example.com", "x")
    browser_page.goto(f"{live_server.url}/admin/login/")
    browser_page.fill("#id_username", "chief")
    browser_page.fill("#id_password", "x")
    browser_page.click("button[type=submit]")
    browser_page.wait_for_url("**/admin/")
    broken: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # Wagtail shows the avatar of whoever is logged in, from gravatar.com.
        if "Content Security Policy" in message.text and "gravatar" not in message.text:
            broken.append(message.text)

    def strictly(route: Route) -> None:
        response = route.fetch()
        policy = {"content-security-policy": STRICT}
        route.fulfill(response=response, headers=policy | response.headers)

    browser_page.on("console", heard)
    browser_page.route("**/admin/triggers/**", strictly)
    run, event = message.enrolment_id or 0, message.event_id or 0
    for view, args in (
        ("triggers_journeys:list", []),
        ("triggers_journeys:inspect", [Journey.objects.get().pk]),
        ("triggers_contacts:inspect", [message.contact_id]),
        ("triggers_enrolments:inspect", [run]),
        ("triggers_messages:inspect", [message.pk]),
        ("triggers_events:inspect", [event]),
        ("triggers_topics:index", []),
    ):
        open_page(browser_page, live_server, view, *args)
        browser_page.locator("main").wait_for()
    assert broken == []
