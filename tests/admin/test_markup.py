"""Our pages bring no script and no style of their own inside the page: a strict CSP can hold."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import History

#: Data in a page, which no browser runs.
DATA = {"application/json", "text/template", "text/x-template"}


class Inline(HTMLParser):
    """Collects what a policy without `unsafe-inline` would stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_script = tag == "script" and "src" not in given and given.get("type") not in DATA
        if tag == "style":
            self.found.add("<style>")
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.found.add(f"{tag} {name}={value}")
            if name in {"href", "src", "action"} and str(value).startswith("javascript:"):
                self.found.add(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.add(f"<script> {data.strip()[:60]}")


def inline(client: Client, url: str) -> set[str]:
    response = client.get(url)
    assert response.status_code == 200, url
    parser = Inline()
    parser.feed(response.content.decode())
    return parser.found


def pages(history: History) -> dict[str, str]:
    """Every page of ours, by its URL's name."""
    found = {}
    for space, row in (
        ("triggers_contacts", history.contact),
        ("triggers_enrolments", history.run),
        ("triggers_messages", history.message),
        ("triggers_events", history.event),
    ):
        found[f"{space}:index"] = reverse(f"{space}:index")
        found[f"{space}:inspect"] = reverse(f"{space}:inspect", args=[row.pk])
    for space, written in (
        ("triggers_journeys", history.journey),
        ("triggers_templates", history.template),
    ):
        for view in ("list", "add"):
            found[f"{space}:{view}"] = reverse(f"{space}:{view}")
        for view in ("edit", "inspect", "delete", "history", "usage", "preview_on_edit"):
            found[f"{space}:{view}"] = reverse(f"{space}:{view}", args=[written.pk])
    for view in ("pause", "archive", "underway"):
        found[view] = reverse(f"triggers_journeys:{view}", args=[history.journey.pk])
    topic = history.template.topic_id
    found["triggers_topics:index"] = reverse("triggers_topics:index")
    found["triggers_topics:add"] = reverse("triggers_topics:add")
    found["triggers_topics:edit"] = reverse("triggers_topics:edit", args=[topic])
    found["retry"] = reverse("triggers_enrolments:retry", args=[history.parked.pk])
    found["why"] = reverse("triggers_journeys:why", args=[history.journey.pk, history.contact.pk])
    found["why_people"] = reverse("triggers_journeys:why_people", args=[history.journey.pk])
    found["bulk"] = (
        reverse("wagtail_bulk_action", args=["wagtail_triggers", "enrolment", "retry"])
        + f"?id={history.parked.pk}"
    )
    found["home"] = "/admin/"
    found["settings"] = f"/admin/settings/wagtail_triggers/triggerssettings/{history.run.site_id}/"
    return found


#: Inputs of Wagtail's own that start themselves so, wherever they stand: scheduling, inline rows.
WAGTAILS = ("initDateTimeChooser(", "initTimeChooser(", "new InlinePanel(", "new ImageChooser(")


def test_pages_of_ours_add_no_script_and_no_style_inside_the_page(
    history: History, chief: Client
) -> None:
    # What Wagtail's own pages hold already: its frame.
    wagtail = inline(chief, "/admin/") | inline(chief, "/admin/reports/site-history/")
    ours = {name: inline(chief, url) - wagtail for name, url in pages(history).items()}
    for name in list(ours):
        ours[name] = {one for one in ours[name] if not any(part in one for part in WAGTAILS)}
    assert {name: found for name, found in ours.items() if found} == {}


def test_test_of_inline_markup_finds_what_it_looks_for() -> None:
    parser = Inline()
    parser.feed('<p style="x" onclick="y">a</p><script>z()</script><style>b{}</style>')
    assert parser.found == {"p style=x", "p onclick=y", "<script> z()", "<style>"}


@pytest.mark.parametrize("language", ["de", "ru"])
def test_pages_in_another_language_open(language: str, history: History, chief: Client) -> None:
    for name, url in pages(history).items():
        assert chief.get(url, headers={"accept-language": language}).status_code == 200, name


def test_pages_by_get_change_nothing(history: History, chief: Client) -> None:
    from django.apps import apps

    rows = {
        model: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("wagtail_triggers").get_models()
    }
    for url in pages(history).values():
        chief.get(url)
    # The settings of a site come into being when they are first looked at, by Wagtail's design.
    for model, before in rows.items():
        if model.__name__ != "TriggersSettings":
            assert list(model._default_manager.order_by("pk").values()) == before, model
