"""The canvas in a real browser: drawn on, changed and published, by mouse and by keyboard."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect
from wagtail.models import Site

from tests.shop import template
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.journeys.steps.base import Run, Step, StepSettings, Surroundings
from wagtail_triggers.journeys.steps.decisions import Advance, Decision
from wagtail_triggers.journeys.steps.registry import steps

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
STRICT = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:"
#: Remembers what the policy stopped, and where.
LISTENER = """
window.stopped = [];
document.addEventListener('securitypolicyviolation', (event) => {
  stopped.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""

#: Seconds that a change may take to be in the form on a loaded machine.
PATIENCE = 15

GoTo = Callable[..., None]


@pytest.fixture
def page(live_server: Any, browser_page: Page) -> Page:
    """A superuser's page in the admin."""
    User.objects.create_superuser("chief", "chief@example.com", "x")
    browser_page.goto(f"{live_server.url}/admin/login/")
    browser_page.fill("#id_username", "chief")
    browser_page.fill("#id_password", "x")
    browser_page.click("button[type=submit]")
    browser_page.wait_for_url("**/admin/")
    return browser_page


@pytest.fixture
def go_to(page: Page, live_server: Any) -> GoTo:
    """Open one of our pages, and wait until the canvas is drawn."""

    def go(view: str, *args: Any) -> None:
        page.goto(live_server.url + reverse(f"triggers_journeys:{view}", args=args))
        page.locator(".react-flow__node, .triggers-steps__step").first.wait_for()

    return go


@pytest.fixture
def clicks(page: Page) -> Iterator[Callable[[Locator], None]]:
    """Click, and count: twelve is the most that chain E7 may take."""
    made = 0

    def click(what: Locator) -> None:
        nonlocal made
        made += 1
        what.click()

    yield click
    assert 0 < made <= 12


def node(page: Page, name: str) -> Locator:
    return page.locator(f".react-flow__node[data-id='{name}']")


def plus(page: Page, source: str, port: str = "next") -> Locator:
    return page.locator(f".triggers-canvas__plus[data-source='{source}'][data-port='{port}']")


def field(page: Page, name: str) -> Locator:
    return page.locator(f"[id='triggers-setting-{name}']")


def drawn(page: Page) -> dict[str, Any]:
    """The graph as it stands in the page's form."""
    graph: dict[str, Any] = json.loads(page.locator("#id_graph").input_value())
    return graph


def ways(page: Page) -> set[str]:
    return {f"{one['source']}.{one['port']}>{one['target']}" for one in drawn(page)["edges"]}


def has_ways(page: Page, *wanted: str, only: bool = True) -> None:
    """Wait until the form's graph has these ways; `only`: and no others."""
    deadline = time.monotonic() + PATIENCE
    while not (ways(page) == set(wanted) if only else ways(page) >= set(wanted)):
        assert time.monotonic() < deadline, ways(page)
        page.wait_for_timeout(50)


def line(*kinds: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A graph in which kinds follow each other: n0, n1 …, and an end."""
    nodes = [
        {"id": f"n{n}", "kind": kind, "settings": settings}
        for n, (kind, settings) in enumerate([*kinds, ("end", {})])
    ]
    edges = [{"source": f"n{n}", "port": "next", "target": f"n{n + 1}"} for n in range(len(kinds))]
    return {"nodes": nodes, "edges": edges}


ENTRY = ("entry", {"event": "cart_abandoned"})
WAIT = ("wait", {"amount": 1, "unit": "days"})


def draft(graph: dict[str, Any]) -> Journey:
    row = Journey(
        site=Site.objects.get(is_default_site=True), name="Draft", graph=graph, live=False
    )
    row.save()
    row.save_revision()
    return row


def soon(page: Page, check: Callable[[], bool]) -> None:
    """Wait until a check holds that is none of Playwright's own; five seconds at most."""
    for _look in range(50):
        if check():
            return
        page.wait_for_timeout(100)
    assert check()


def faults(page: Page, selector: str) -> list[str]:
    """What axe finds wrong within a part of the page."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("(selector) => axe.run(selector)", selector)
    return [
        f"{one['id']}: {place['html'][:200]}"
        for one in found["violations"]
        for place in one["nodes"]
    ]


def test_abandoned_cart_chain_is_drawn_and_published_in_twelve_clicks(
    page: Page, go_to: GoTo, clicks: Callable[[Locator], None]
) -> None:
    template("We saved your cart")
    template("Ten percent off")
    go_to("add")
    keys = page.keyboard
    clicks(page.locator("#id_name"))
    keys.type("Abandoned cart")

    clicks(node(page, "start"))
    keys.press("Enter")
    expect(field(page, "event")).to_be_focused()
    keys.type("Cart aba")
    expect(node(page, "start")).to_contain_text("“Cart abandoned”")

    clicks(plus(page, "start"))
    keys.type("send")
    keys.press("Enter")
    expect(field(page, "template")).to_be_focused()
    keys.type("We saved")
    expect(node(page, "send")).to_contain_text("We saved your cart")

    clicks(plus(page, "send"))
    keys.type("wait")
    keys.press("Enter")
    expect(node(page, "wait")).to_contain_text("Wait 1 day")

    clicks(plus(page, "wait"))
    keys.type("branch")
    keys.press("Enter")
    expect(page.locator(".triggers-condition button")).to_be_focused()
    keys.press("Enter")
    expect(page.locator(".triggers-condition select").first).to_be_focused()
    keys.type("Done")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("Order placed")
    expect(node(page, "branch")).to_contain_text("“Order placed” has happened")

    clicks(plus(page, "branch", "no"))
    keys.type("send")
    keys.press("Enter")
    expect(field(page, "template")).to_be_focused()
    keys.type("Ten")
    expect(node(page, "send-2")).to_contain_text("Ten percent off")
    expect(page.locator(".triggers-problems__fine")).to_be_visible()
    has_ways(
        page,
        "start.next>send",
        "send.next>wait",
        "wait.next>branch",
        "branch.yes>end",
        "branch.no>send-2",
        "send-2.next>end",
    )
    # Wagtail has saved the draft by itself and goes on at its own address.
    page.wait_for_url("**/triggers/journeys/edit/*/")
    clicks(page.get_by_role("button", name="More actions"))
    clicks(page.get_by_role("button", name="Publish"))
    expect(page.locator(".messages")).to_contain_text("published")
    row = Journey.objects.get()
    assert row.live_version is not None
    kinds = [one["kind"] for one in row.live_version.graph["nodes"]]
    assert kinds == ["entry", "end", "send", "wait", "branch", "send"]
    assert all("position" not in one for one in row.live_version.graph["nodes"])


def test_outline_does_it_all_by_keyboard(page: Page, go_to: GoTo) -> None:
    template("Thank you")
    go_to("edit", draft(line(ENTRY, WAIT)).pk)
    keys = page.keyboard

    def press(name: str) -> None:
        page.get_by_role("button", name=name).focus()
        keys.press("Enter")

    press("Outline")
    page.locator("[data-step=n1]").focus()
    keys.press("Enter")
    expect(field(page, "amount")).to_be_focused()
    keys.press("Control+a")
    keys.type("3")
    expect(page.locator("[data-step=n1]")).to_contain_text("Wait 3 days")

    press("Add a step after this")
    keys.type("send")
    keys.press("Enter")
    expect(field(page, "template")).to_be_focused()
    keys.type("Thank")
    expect(page.locator("[data-step=send]")).to_contain_text("Thank you")
    has_ways(page, "n0.next>n1", "n1.next>send", "send.next>n2")

    press("Move up")
    has_ways(page, "n0.next>send", "send.next>n1", "n1.next>n2")
    press("Move down")
    has_ways(page, "n0.next>n1", "n1.next>send", "send.next>n2")
    press("Duplicate")
    has_ways(page, "n0.next>n1", "n1.next>send", "send.next>send-2", "send-2.next>n2")
    press("Delete")
    has_ways(page, "n0.next>n1", "n1.next>send", "send.next>n2")

    page.locator("[data-step=n1]").focus()
    keys.press("Enter")
    expect(field(page, "amount")).to_be_focused()
    page.locator(".triggers-actions__more summary").focus()
    keys.press("Enter")
    lead = page.get_by_label("“Next” leads to")
    lead.select_option("n2")
    has_ways(page, "n1.next>n2", only=False)
    expect(page.locator(".triggers-steps")).to_contain_text("No way leads here from an entry")
    press("Undo")
    has_ways(page, "n0.next>n1", "n1.next>send", "send.next>n2")
    press("Redo")
    has_ways(page, "n1.next>n2", only=False)


def test_steps_are_dragged_from_the_palette_copied_and_removed(page: Page, go_to: GoTo) -> None:
    page.set_viewport_size({"width": 1500, "height": 1000})
    go_to("edit", draft(line(ENTRY, WAIT)).pk)
    kind = page.locator(".triggers-palette__kind[data-kind=holdout]")
    kind.drag_to(plus(page, "n0"))
    expect(node(page, "holdout")).to_be_visible()
    has_ways(page, "n0.next>holdout", "holdout.next>n1", only=False)

    page.keyboard.press("Escape")
    node(page, "n1").click()
    node(page, "n1").focus()
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(node(page, "wait")).to_contain_text("Wait 1 day")
    page.keyboard.press("Delete")
    expect(node(page, "wait")).to_have_count(0)
    node(page, "n2").focus()
    page.keyboard.press("Control+z")
    expect(node(page, "wait")).to_have_count(1)

    box = node(page, "n1").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Tidy up")).to_be_enabled()
    soon(page, lambda: all("position" in one for one in drawn(page)["nodes"]))
    page.get_by_role("button", name="Tidy up").click()
    expect(page.get_by_role("button", name="Tidy up")).to_be_disabled()
    soon(page, lambda: not any("position" in one for one in drawn(page)["nodes"]))


def test_broken_graph_shows_its_problems_on_the_steps_and_cannot_be_published(
    page: Page, go_to: GoTo
) -> None:
    row = draft(line(ENTRY, ("send", {"template": "gone"})))
    go_to("edit", row.pk)
    expect(node(page, "n1").locator(".triggers-node--error")).to_be_visible()
    problem = page.locator(".triggers-problems")
    expect(problem).to_contain_text("There is no published template “gone”.")
    problem.get_by_role("button").first.click()
    expect(page.locator(".triggers-panel")).to_contain_text("There is no published template")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".messages")).to_contain_text("could not be")
    row.refresh_from_db()
    assert not row.live


class PaperSettings(StepSettings):
    greeting: str = "Hello"
    copies: int = 1


class PaperStep(Step[PaperSettings]):
    identifier = "acme_paper"
    label = "Print a letter"
    description = "Sends a letter by post."
    Settings = PaperSettings

    def decide(self, run: Run) -> Decision:
        return Advance()

    def describe(self, surroundings: Surroundings) -> str:
        return f"Print {self.settings.copies} times “{self.settings.greeting}”"


def test_host_kind_has_its_form_without_a_line_of_javascript(
    page: Page, go_to: GoTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(steps._entries, "acme_paper", PaperStep)
    go_to("edit", draft(line(ENTRY)).pk)
    plus(page, "n0").click()
    page.keyboard.type("print")
    page.keyboard.press("Enter")
    page.get_by_label("Greeting").fill("Dear reader")
    page.get_by_label("Copies").fill("2")
    expect(node(page, "acme_paper")).to_contain_text("Print 2 times “Dear reader”")
    settings = next(one["settings"] for one in drawn(page)["nodes"] if one["id"] == "acme_paper")
    assert settings == {"greeting": "Dear reader", "copies": 2}


def test_three_hundred_steps_can_be_drawn_on(page: Page, go_to: GoTo) -> None:
    go_to("edit", draft(line(ENTRY, *[WAIT] * 298)).pk)
    assert page.locator(".react-flow__node").count() < 60  # only what is seen
    search = page.get_by_label("Find a step")
    search.fill("n150")
    expect(node(page, "n150")).to_be_visible()
    plus(page, "n150").click()
    page.keyboard.type("exit")
    page.keyboard.press("Escape")
    node(page, "n150").click()
    field(page, "amount").fill("9")
    expect(node(page, "n150")).to_contain_text("Wait 9 days")
    assert len(drawn(page)["nodes"]) == 300


def test_canvas_under_a_strict_policy_breaks_none_of_it(
    page: Page, go_to: GoTo, live_server: Any
) -> None:
    row = draft(line(ENTRY, WAIT))

    def strictly(route: Route) -> None:
        response = route.fetch()
        route.fulfill(
            response=response, headers={"content-security-policy": STRICT} | response.headers
        )

    page.route("**/admin/triggers/**", strictly)
    page.add_init_script(LISTENER)
    page.goto(live_server.url + reverse("triggers_templates:add"))
    page.locator("main").wait_for()
    wagtails = set(page.evaluate("stopped"))
    go_to("edit", row.pk)
    plus(page, "n0").click()
    page.keyboard.type("branch")
    page.keyboard.press("Enter")
    page.locator(".triggers-condition button").click()
    node(page, "n1").click()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Outline").click()
    page.locator("[data-step=n1]").click()
    expect(field(page, "amount")).to_be_visible()
    stopped = set(page.evaluate("stopped"))
    # Wagtail's own page stops at its date inputs, at the address of each page.
    ours = {one for one in stopped - wagtails if "/canvas/" in one or one.startswith("style-src")}
    assert ours == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_canvas_and_outline(scheme: Any, page: Page, go_to: GoTo) -> None:
    page.emulate_media(color_scheme=scheme)
    graph = line(ENTRY, WAIT, ("send", {"template": "gone"}))
    graph["nodes"].append(
        {
            "id": "b",
            "kind": "branch",
            "settings": {"condition": {"all": [{"fact": "x", "op": "eq", "value": 1}]}},
        }
    )
    go_to("edit", draft(graph).pk)
    expect(page.locator(".triggers-problems")).to_be_visible()
    node(page, "b").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".triggers-condition select").first).to_be_visible()
    assert faults(page, ".triggers-canvas") == []
    page.get_by_role("button", name="Outline").click()
    page.locator("[data-step=n0]").click()
    expect(field(page, "event")).to_be_visible()
    assert faults(page, ".triggers-canvas") == []
    page.get_by_role("button", name="Add a step", exact=True).click()
    assert faults(page, ".triggers-picker") == []


def test_narrow_window_has_the_outline_and_no_scrolling_sideways(page: Page, go_to: GoTo) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    go_to("edit", draft(line(ENTRY, WAIT)).pk)
    page.locator("[data-step=n1]").click()
    expect(field(page, "amount")).to_be_visible()
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(width) == 0


def test_opening_the_canvas_changes_nothing_that_would_be_saved(page: Page, go_to: GoTo) -> None:
    graph = line(ENTRY, WAIT)
    row = draft(graph)
    before = row.latest_revision_id
    go_to("edit", row.pk)
    node(page, "n1").click()
    expect(field(page, "amount")).to_be_visible()
    page.get_by_role("button", name="Outline").click()
    page.wait_for_timeout(1500)  # longer than Wagtail waits before it saves by itself
    assert drawn(page) == graph
    assert not page.evaluate("new FormData(document.querySelector('#w-editor-form')).has('amount')")
    row.refresh_from_db()
    assert row.latest_revision_id == before
