"""The page about people under way, in a real browser: keyboard, narrow windows, both themes."""

from __future__ import annotations

import os
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.concurrency.people import enrolled, people
from tests.shop import journey, publish_on, template
from wagtail_triggers.core import clock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.journeys.models import Journey

pytestmark = pytest.mark.django_db(transaction=True)

#: Where to leave pictures of the pages, for somebody to look at.
PICTURES = os.environ.get("TRIGGERS_PICTURES")


@pytest.fixture
def plan(settings: object) -> Journey:
    """Twelve people who wait for a letter that a second version no longer has."""
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"  # type: ignore[attr-defined]
    wait = {"kind": "wait", "amount": 1, "unit": "days"}
    row = journey("Onboarding", [
        {"kind": "entry", "event": "order_placed"},
        wait, {"kind": "send", "template": template("Welcome, and what you bought")}, wait,
    ])  # fmt: skip
    runs = enrolled(row, people(12))
    later = clock.now() + timedelta(days=1)
    Enrolment.objects.update(waiting=True, wake_at=later)
    for run in runs[:5]:
        Enrolment.objects.filter(pk=run.pk).update(node="n2", state="parked", wake_at=None)
    graph = deepcopy(row.graph)
    graph["nodes"] = [node for node in graph["nodes"] if node["id"] != "n2"]
    graph["edges"] = [edge for edge in graph["edges"] if edge["source"] != "n2"]
    for edge in graph["edges"]:
        edge["target"] = "n3" if edge["target"] == "n2" else edge["target"]
    publish_on(row.site, row.name, graph, row=row)
    return row


@pytest.fixture
def desk(browser_page: Page, live_server: LiveServer, plan: Journey) -> Page:
    """A superuser's browser on the page."""
    User.objects.create_superuser("chief", "chief@example.com", "x")
    browser_page.goto(f"{live_server.url}/admin/login/")
    browser_page.fill("#id_username", "chief")
    browser_page.fill("#id_password", "x")
    browser_page.click("button[type=submit]")
    browser_page.wait_for_url("**/admin/")
    browser_page.goto(f"{live_server.url}/admin/triggers/journeys/{plan.pk}/under-way/")
    return browser_page


def picture(page: Page, name: str) -> None:
    """Leave a picture where somebody asked for one."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def fits(page: Page) -> bool:
    """Whether nothing sticks out of the window sideways."""
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"))


def test_people_are_moved_with_the_keyboard_alone(desk: Page, plan: Journey) -> None:
    picture(desk, "underway")
    policies = desk.get_by_label("What becomes of them")
    assert policies.count() == 2
    policies.nth(0).focus()
    desk.keyboard.press("m")
    assert policies.nth(0).input_value() == "move"
    policies.nth(1).focus()
    desk.keyboard.press("End")
    assert policies.nth(1).input_value() == "exit"
    show = desk.get_by_role("button", name="Show what will happen")
    for _key in range(12):
        desk.keyboard.press("Tab")
        if show.evaluate("one => one === document.activeElement"):
            break
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="What will happen")).to_be_visible()
    picture(desk, "underway-preview")
    assert Enrolment.objects.filter(state="exited").count() == 0
    desk.get_by_role("button", name="Do it").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("12 people were moved or let out.")).to_be_visible()
    picture(desk, "underway-done")
    assert Enrolment.objects.filter(state="exited", node="n2").count() == 5
    assert Enrolment.objects.filter(version=plan.live_version, node="n1").count() == 7


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_a_narrow_window_in_both_themes(desk: Page, scheme: str) -> None:
    desk.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.reload()
    assert fits(desk)
    picture(desk, f"underway-narrow-{scheme}")
    desk.set_viewport_size({"width": 1280, "height": 900})
    picture(desk, f"underway-wide-{scheme}")
    assert fits(desk)
