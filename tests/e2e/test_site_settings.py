"""Settings > Triggers in a real browser: rows are added, kept, and fit narrow and dark pages."""

from __future__ import annotations

import os
from datetime import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from wagtail.models import Site

from tests.e2e.test_admin import admin
from wagtail_triggers.consent.models import FrequencyCap, QuietHours

__all__ = ["admin"]  # a fixture
#: Where to put pictures of the pages, for whoever wants to look at them.
PICTURES = os.environ.get("TRIGGERS_PICTURES", "")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    wide: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wide


@pytest.mark.timeout(300)
def test_limits_and_quiet_hours_are_added_and_kept(admin: Page, live_server: Any) -> None:
    url = (
        f"{live_server.url}/admin/settings/wagtail_triggers/triggerssettings/"
        f"{Site.objects.get().pk}/"
    )
    admin.goto(url)
    admin.get_by_role("tab", name="How often and when").click()
    expect(admin.locator("[name=weekly_limit]")).to_have_value("3")
    picture(admin, "settings-empty")
    admin.click("#id_caps-ADD")
    admin.fill("[name=caps-0-limit]", "2")
    admin.select_option("[name=caps-0-unit]", "weeks")
    admin.select_option("[name=caps-0-channel]", "email")
    admin.click("#id_quiet_hours-ADD")
    admin.fill("[name=quiet_hours-0-begins]", "21:00")
    admin.fill("[name=quiet_hours-0-ends]", "08:00")
    admin.keyboard.press("Escape")
    admin.locator("[name=quiet_hours-0-weekdays][value='7']").check()
    picture(admin, "settings-filled")
    admin.locator("footer button[type=submit], footer input[type=submit]").first.click()
    admin.wait_for_load_state()
    cap, hours = FrequencyCap.objects.get(), QuietHours.objects.get()
    assert (cap.limit, cap.amount, cap.unit, cap.channel) == (2, 1, "weeks", "email")
    assert (hours.begins, hours.ends, hours.weekdays) == (time(21), time(8), "7")
    admin.goto(url)
    admin.get_by_role("tab", name="How often and when").click()
    expect(admin.locator("[name=quiet_hours-0-weekdays][value='7']")).to_be_checked()
    expect(admin.locator("[name=quiet_hours-0-weekdays][value='1']")).not_to_be_checked()
    for width, scheme in ((1280, "dark"), (390, "light"), (390, "dark")):
        admin.set_viewport_size({"width": width, "height": 900})
        admin.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        admin.evaluate(
            "scheme => { document.documentElement.className = "
            "document.documentElement.className.replace(/w-theme-\\w+/, 'w-theme-' + scheme) }",
            scheme,
        )
        picture(admin, f"settings-{width}-{scheme}")
        assert overflow(admin) <= 0
