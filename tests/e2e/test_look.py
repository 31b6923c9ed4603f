"""The look of mails and the list of blocks in a real browser."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from wagtail.models import Site

from tests.e2e.test_site_settings import overflow
from tests.e2e.test_writing_templates import admin
from tests.shop import template
from wagtail_triggers.messages.models import Template, TriggersSettings

__all__ = ["admin"]  # a fixture
#: Where to put pictures of the pages, for whoever wants to look at them.
PICTURES = os.environ.get("TRIGGERS_PICTURES", "")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


@pytest.mark.timeout(300)
def test_look_is_chosen_and_brought_to_live_templates(admin: Page, live_server: Any) -> None:
    template("Thank you", "<p>Hello</p>")
    site = Site.objects.get()
    url = reverse("wagtailsettings:edit", args=["wagtail_triggers", "triggerssettings", site.pk])
    admin.goto(live_server.url + url)
    admin.get_by_role("tab", name="Look of mails").click()
    admin.fill("[name=link_colour]", "#ffcc00")
    admin.fill("[name=colour]", "#7a3b2e")
    admin.locator("footer button[type=submit], footer input[type=submit]").first.click()
    expect(admin.get_by_text("Links: #ffcc00 on #ffffff has a contrast of 1.5 : 1")).to_be_visible()
    assert TriggersSettings.objects.get().colour == "#7a3b2e"
    admin.get_by_role("tab", name="Look of mails").click()
    for width, scheme in ((1280, "light"), (390, "dark")):
        admin.set_viewport_size({"width": width, "height": 900})
        admin.evaluate(
            "scheme => { document.documentElement.className = "
            "document.documentElement.className.replace(/w-theme-\\w+/, 'w-theme-' + scheme) }",
            scheme,
        )
        picture(admin, f"look-{width}-{scheme}")
        assert overflow(admin) <= 0
    admin.set_viewport_size({"width": 1280, "height": 900})
    admin.get_by_role("link", name="Bring the look to one template").click()
    picture(admin, "recompile")
    admin.get_by_role("button", name="Compile all again").click()
    expect(admin.get_by_text("One template has a new version now.")).to_be_visible()
    row = Template.objects.get()
    assert row.live_version is not None
    assert row.live_version.number == 2


@pytest.mark.timeout(300)
def test_block_is_chosen_from_groups_and_filled_in(admin: Page, live_server: Any) -> None:
    admin.set_viewport_size({"width": 1280, "height": 1000})
    admin.goto(live_server.url + reverse("triggers_templates:add"))
    admin.get_by_role("button", name="Insert a block").first.click()
    for group in ("Text", "Shop", "Layout", "Advanced"):
        expect(admin.locator(".w-combobox__optgroup-label", has_text=group).first).to_be_visible()
    picture(admin, "block-list")
    admin.get_by_role("option", name="Button").click()
    block = admin.locator('[data-streamfield-stream-container] [data-contentpath="text"]').first
    expect(block).to_be_visible()
    picture(admin, "block-button")
