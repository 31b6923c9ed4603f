"""What stands around a publication, in a real browser: notes, locks, choosers, comparison."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e.test_canvas import (
    ENTRY,
    WAIT,
    GoTo,
    draft,
    drawn,
    faults,
    field,
    go_to,
    line,
    node,
    page,
    soon,
)
from tests.shop import journey, template
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Template

__all__ = ["go_to", "page"]  # fixtures

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def changed(page: Page) -> Journey:
    """A published journey whose draft has a step less, one more, and one that differs."""
    row = journey(
        "Thanks",
        [
            {"kind": "entry", "event": "order_placed"},
            {"kind": "wait", "amount": 1, "unit": "days"},
            {"kind": "update", "add_tags": ["buyer"]},
        ],
    )
    made = row.get_latest_revision_as_object()
    graph = deepcopy(made.graph)
    graph["nodes"][2] = {"id": "score", "kind": "update", "settings": {"score": 5}}
    graph["nodes"][1]["settings"]["amount"] = 2
    graph["edges"][1]["target"] = graph["edges"][2]["source"] = "score"
    made.graph = graph
    made.save_revision()
    return row


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_comparison_marks_by_word_and_sign_and_axe_finds_nothing(
    page: Page, live_server: Any, changed: Journey, width: int, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    address = reverse("triggers_journeys:revisions_compare", args=[changed.pk, "live", "latest"])
    page.goto(live_server.url + address)
    marks = page.locator(".triggers-side .triggers-mark")
    expect(marks.filter(has_text="removed")).to_have_count(1)
    expect(marks.filter(has_text="added")).to_have_count(1)
    expect(marks.filter(has_text="changed")).to_have_count(2)
    expect(marks.filter(has=page.locator("svg"))).to_have_count(4)
    assert faults(page, "main") == []
    assert page.evaluate(SIDEWAYS) == 0


@pytest.mark.parametrize("width", [1280, 375])
def test_what_it_would_have_done_reads_well_and_axe_finds_nothing(
    page: Page, live_server: Any, changed: Journey, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("triggers_journeys:rehearsal", args=[changed.pk]))
    expect(page.get_by_role("heading", name="What publishing would change")).to_be_visible()
    assert faults(page, "main") == []
    assert page.evaluate(SIDEWAYS) == 0


def test_note_is_kept_at_its_step_and_shown_to_colleagues(page: Page, go_to: GoTo) -> None:
    row = draft(line(ENTRY, WAIT))
    go_to("edit", row.pk)
    node(page, "n1").click()
    page.get_by_label("Note", exact=False).last.fill("Ask Ada first")
    soon(page, lambda: drawn(page)["nodes"][1].get("note") == "Ask Ada first")
    expect(node(page, "n1").locator(".triggers-node__note")).to_be_visible()
    page.get_by_role("button", name="Outline").click()
    expect(page.locator(".triggers-note")).to_contain_text("Ask Ada first")
    page.keyboard.press("Control+s")
    page.wait_for_load_state()
    soon(page, lambda: _noted(row))


def _noted(row: Journey) -> bool:
    graph = Journey.objects.get(pk=row.pk).get_latest_revision_as_object().graph
    return bool(graph["nodes"][1].get("note") == "Ask Ada first")


def test_locked_journey_can_be_looked_at_and_not_drawn_on(page: Page, go_to: GoTo) -> None:
    row = draft(line(ENTRY, WAIT))
    keeper = User.objects.create_superuser("keeper", "k@example.com", "x")
    Journey.objects.filter(pk=row.pk).update(
        locked=True, locked_by=keeper, locked_at=timezone.now()
    )
    go_to("edit", row.pk)
    expect(
        page.get_by_text("This journey is locked. It can be read, and not changed.")
    ).to_be_visible()
    expect(page.locator(".triggers-canvas__plus")).to_have_count(0)
    expect(page.locator(".triggers-palette__kind")).to_have_count(0)
    before = drawn(page)
    node(page, "n1").click()
    page.keyboard.press("Delete")
    assert drawn(page) == before
    page.get_by_role("button", name="Text").click()
    expect(page.locator("#id_graph")).not_to_be_editable()


def test_template_is_chosen_in_wagtails_own_chooser(page: Page, go_to: GoTo) -> None:
    first, second = template("First letter"), template("Second letter")
    go_to("edit", draft(line(ENTRY, ("send", {"template": first}))).pk)
    node(page, "n1").click()
    page.get_by_role("button", name="Choose …").click()
    page.locator(".modal").get_by_role("link", name="Second letter").click()
    expect(field(page, "template")).to_have_value(second)
    soon(page, lambda: drawn(page)["nodes"][1]["settings"]["template"] == second)
    edit = page.get_by_role("link", name="Edit it")
    expect(edit).to_have_attribute("href", editor_of(second))
    expect(page.get_by_role("link", name="Write a new one")).to_be_visible()


def editor_of(key: str) -> str:
    """The address of the editor of the template with this key."""
    row = Template.objects.get(translation_key=key)
    return reverse("triggers_templates:edit", args=[row.pk])


def test_density_of_the_admin_is_the_density_of_the_outline(page: Page, go_to: GoTo) -> None:
    go_to("edit", draft(line(ENTRY, WAIT)).pk)
    page.get_by_role("button", name="Outline").click()
    tall = "document.querySelector('.triggers-steps__line').getBoundingClientRect().height"
    before = page.evaluate(tall)
    page.evaluate("document.documentElement.style.setProperty('--w-density-factor', '0.5')")
    assert page.evaluate(tall) < before


def test_preview_shows_the_draft_as_it_is_drawn(page: Page, go_to: GoTo) -> None:
    go_to("edit", draft(line(ENTRY, WAIT)).pk)
    node(page, "n1").click()
    field(page, "amount").fill("9")
    soon(page, lambda: drawn(page)["nodes"][1]["settings"]["amount"] == 9)
    page.get_by_role("button", name="Toggle preview").click()
    frame = page.frame_locator("#w-preview-iframe")
    expect(frame.get_by_text("Wait 9 days")).to_be_visible()
