"""Journeys: drafts may be wrong, publications may not; the listing counts; the outline reads."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Revision
from wagtail.test.utils.form_data import querydict_from_html

from tests.admin.conftest import ClientWith, History
from tests.shop import journey, template
from wagtail_triggers.admin.widgets import layout
from wagtail_triggers.analytics.rollups import numbers
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.journeys.models import Journey, JourneyVersion

ADD = "triggers_journeys:add"
OUTLINE = "triggers_journeys:outline"
BROKEN: dict[str, Any] = {
    "nodes": [
        {"id": "start", "kind": "entry", "settings": {"event": "order_plcaed"}},
        {"id": "mail", "kind": "send", "settings": {"template": "none"}},
    ],
    "edges": [{"source": "start", "port": "next", "target": "mail"}],
}


def sound(key: str) -> dict[str, Any]:
    return {
        "nodes": [
            {"id": "start", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "mail", "kind": "send", "settings": {"template": key}},
            {"id": "end", "kind": "end", "settings": {}},
        ],
        "edges": [
            {"source": "start", "port": "next", "target": "mail"},
            {"source": "mail", "port": "next", "target": "end"},
        ],
    }


def submit(client: Client, url: str, graph: object, **more: str) -> Any:
    """Post what the form shows back, with another graph."""
    form = querydict_from_html(client.get(url).content.decode(), form_id="w-editor-form")
    form["graph"] = graph if isinstance(graph, str) else json.dumps(graph)
    form.update(more)
    return client.post(url, form)


def test_draft_with_a_broken_graph_is_saved(chief: Client) -> None:
    response = submit(chief, reverse(ADD), BROKEN, name="Half done")
    row = Journey.objects.get()
    assert response.status_code == 302
    assert (row.name, row.live, row.graph) == ("Half done", False, BROKEN)
    assert not JourneyVersion.objects.exists()


def test_publication_of_a_broken_graph_is_refused_and_names_each_node(chief: Client) -> None:
    publish = {"name": "Half done", "action-publish": "action-publish"}
    response = submit(chief, reverse(ADD), BROKEN, **publish)
    html = unescape(response.content.decode())
    assert response.status_code == 200
    assert "start.event: There is no event “order_plcaed”. Did you mean “order_placed”?" in html
    assert "mail.ports.next: The way out “Next” leads nowhere." in html
    assert "mail.template: There is no published template “none”." in html
    assert not Journey.objects.exists()
    assert not JourneyVersion.objects.exists()


def test_publication_of_an_empty_graph_is_refused(chief: Client) -> None:
    response = submit(chief, reverse(ADD), {}, name="Empty", **{"action-publish": "x"})
    assert "Nothing starts this journey." in unescape(response.content.decode())
    assert not Journey.objects.exists()


def test_publication_of_a_sound_graph_freezes_a_version(chief: Client) -> None:
    graph = sound(template("Thank you"))
    publish = {"name": "Thank you", "action-publish": "action-publish"}
    assert submit(chief, reverse(ADD), graph, **publish).status_code == 302
    row = Journey.objects.get()
    assert row.live
    assert row.live_version is not None
    assert row.live_version.graph == graph


def test_refused_publication_of_a_live_journey_leaves_the_version_before_in_force(
    chief: Client,
) -> None:
    row = journey("Plain", [{"kind": "entry", "event": "order_placed"}])
    before = row.live_version
    url = reverse("triggers_journeys:edit", args=[row.pk])
    assert submit(chief, url, BROKEN, **{"action-publish": "x"}).status_code == 200
    row.refresh_from_db()
    assert row.live_version == before
    assert JourneyVersion.objects.count() == 1


def test_text_that_is_no_json_is_shown_again_as_it_was_typed(chief: Client) -> None:
    response = submit(chief, reverse(ADD), '{"nodes": [', name="Typo")
    assert response.status_code == 200
    assert '{"nodes": [</textarea>' in unescape(response.content.decode())
    assert not Journey.objects.exists()


def test_new_journey_begins_with_a_graph_that_could_be_published(chief: Client) -> None:
    html = unescape(chief.get(reverse(ADD)).content.decode())
    assert "Nothing stands in the way of publishing." in html
    assert "When “Order placed” happens" in html


def test_site_with_no_choice_is_not_asked_for(chief: Client) -> None:
    form = querydict_from_html(chief.get(reverse(ADD)).content.decode(), form_id="w-editor-form")
    assert "site" not in form


def test_listing_counts_entered_active_sent_and_converted(
    history: History, chief: Client, clock: FrozenClock
) -> None:
    ids = [history.journey.pk, history.parked.journey_id]
    counted = numbers(ids, clock.moment)
    told = {pk: (one.entered, one.active, one.sent, one.converted) for pk, one in counted.items()}
    assert told == {ids[0]: (1, 0, 1, 1), ids[1]: (1, 1, 0, 0)}
    assert (sum(counted[ids[0]].days), len(counted[ids[0]].days)) == (1, 30)
    html = chief.get(reverse("triggers_journeys:list")).content.decode()
    assert "Abandoned cart" in html
    assert "running" in html
    assert "1 message in the last 30 days, 1 on the busiest" in html


def test_listing_costs_the_same_for_two_journeys_and_for_twelve(
    history: History, chief: Client
) -> None:
    url = reverse("triggers_journeys:list")
    chief.get(url)
    with CaptureQueriesContext(connection) as few:
        chief.get(url)
    for number in range(10):
        journey(f"More {number}", [{"kind": "entry", "event": "order_placed"}])
    with CaptureQueriesContext(connection) as many:
        html = chief.get(url).content.decode()
    assert len(many) == len(few)
    assert "More 9" in html


def test_outline_of_a_graph_names_steps_and_problems(client_with: ClientWith) -> None:
    client = client_with("change_journey")
    answer = client.post(reverse(OUTLINE), {"graph": json.dumps(BROKEN), "site": ""}).json()
    html = unescape(answer["html"])
    assert answer["readable"] is True
    assert "3 problems stand in the way of publishing." in html
    assert 'href="#triggers-step-mail"' in html
    assert 'id="triggers-step-mail"' in html
    assert "Did you mean “order_placed”?" in html


def test_outline_of_text_that_is_no_json_names_line_and_column(chief: Client) -> None:
    answer = chief.post(reverse(OUTLINE), {"graph": '{\n "nodes": [}'}).json()
    assert answer["readable"] is False
    assert "Line 2, column 12: this is not valid JSON" in answer["html"]


@pytest.mark.parametrize("graph", ["[" * 100_000, "x" * 600_000, "[1]", '{"nodes": 7}', ""])
def test_outline_of_nonsense_is_answered(graph: str, chief: Client) -> None:
    assert chief.post(reverse(OUTLINE), {"graph": graph}).status_code == 200


def test_outline_escapes_what_was_typed(chief: Client) -> None:
    evil = "<script>alert(1)</script>"
    nodes = [{"id": "a", "kind": "entry", "settings": {"event": evil}}]
    graph = {"nodes": nodes, "edges": []}
    html = chief.post(reverse(OUTLINE), {"graph": json.dumps(graph)}).json()["html"]
    assert evil not in html
    assert "When “&lt;script&gt;" in html


def test_outline_for_those_who_may_not_write_journeys_is_refused(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_journey", "view_template")
    response = client.post(reverse(OUTLINE), {"graph": "{}"})
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_outline_by_get_is_refused(chief: Client) -> None:
    assert chief.get(reverse(OUTLINE)).status_code == 405


def test_preview_shows_the_outline_of_what_is_in_the_form(chief: Client) -> None:
    row = journey("Plain", [{"kind": "entry", "event": "order_placed"}])
    url = reverse("triggers_journeys:preview_on_edit", args=[row.pk])
    edit = chief.get(reverse("triggers_journeys:edit", args=[row.pk])).content.decode()
    form = querydict_from_html(edit, form_id="w-editor-form")
    form["graph"] = json.dumps(BROKEN)
    assert chief.post(url, form).json() == {"is_valid": True, "is_available": True}
    html = unescape(chief.get(url).content.decode())
    assert "Did you mean “order_placed”?" in html
    assert row.live_version is not None
    assert JourneyVersion.objects.get().graph == row.live_version.graph


def test_inspect_shows_the_live_version_not_the_draft(
    history: History, client_with: ClientWith
) -> None:
    row = history.journey
    row.graph = BROKEN
    row.save_revision()
    url = reverse("triggers_journeys:inspect", args=[row.pk])
    html = unescape(client_with("view_journey").get(url).content.decode())
    assert "When “Cart abandoned” happens" in html
    assert "order_plcaed" not in html


def test_edit_for_somebody_who_may_only_view_changes_nothing(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_journey")
    url = reverse("triggers_journeys:edit", args=[history.journey.pk])
    revisions = Revision.objects.count()
    response = client.post(url, {"name": "Taken over", "graph": "{}"})
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    history.journey.refresh_from_db()
    assert history.journey.name == "Abandoned cart"
    assert Revision.objects.count() == revisions


def test_layout_keeps_short_values_on_a_line_and_says_the_same() -> None:
    graph = sound("0b0fa4d2-95a4-4a5c-8d8e-8f4c5b1f7f6c")
    text = layout(graph)
    assert json.loads(text) == graph
    assert '    {"id": "end", "kind": "end", "settings": {}}\n' in text
    assert max(map(len, text.splitlines())) <= 72
    assert layout({}) == "{}"
    assert layout({"ü": [1, None]}) == '{\n  "ü": [\n    1,\n    null\n  ]\n}'
