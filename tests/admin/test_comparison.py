"""Two revisions side by side, and who may look at them."""

from __future__ import annotations

import html
import json
import re
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import ClientWith, History
from wagtail_triggers.journeys.models import Journey


@pytest.fixture
def changed(history: History) -> Journey:
    """A second revision: the wait is longer, the letter is gone, a tag is new."""
    row = history.journey
    draft = row.get_latest_revision_as_object()
    graph = deepcopy(draft.graph)
    graph["nodes"] = [one for one in graph["nodes"] if one["id"] != "n1"]
    graph["nodes"][1]["settings"] = {"amount": 2, "unit": "days"}
    graph["nodes"][1]["note"] = "As the shop asked <b>for</b>"
    graph["nodes"].append({"id": "tag", "kind": "update", "settings": {"add_tags": ["warm"]}})
    graph["edges"] = [
        {"source": "n0", "port": "next", "target": "tag"},
        {"source": "tag", "port": "next", "target": "n2"},
        {"source": "n2", "port": "next", "target": "n3"},
    ]
    draft.graph, draft.name = graph, "Abandoned cart, gently"
    draft.save_revision()
    return row


def url(row: Journey, a: object = "live", b: object = "latest") -> str:
    return reverse("triggers_journeys:revisions_compare", args=[row.pk, a, b])


def drawings(page: str) -> list[dict[str, Any]]:
    found = re.findall(r'data-triggers-canvas-config-value="([^"]*)"', page)
    return [json.loads(html.unescape(one)) for one in found]


def test_comparison_tells_steps_in_words(changed: Journey, client_with: ClientWith) -> None:
    page = client_with("change_journey").get(url(changed)).text
    flat = re.sub(r"\s+", " ", page)
    assert re.search(r"removed</span> <del>Send “[^”]+”</del>", flat)
    assert re.search(r"added</span> <ins>[^<]*warm[^<]*</ins>", flat)
    assert "<del>Wait 1 day</del>" in flat
    assert "<ins>Wait 2 days</ins>" in flat
    assert "As the shop asked &lt;b&gt;for&lt;/b&gt;" in flat
    assert "gently" in flat
    assert '"nodes"' not in flat  # no JSON for people


def test_both_revisions_are_drawn_with_their_marks(changed: Journey, chief: Client) -> None:
    old, new = drawings(chief.get(url(changed)).text)
    assert (old["readOnly"], new["readOnly"]) == (True, True)
    assert [one["id"] for one in old["graph"]["nodes"]][1] == "n1"
    assert "tag" in [one["id"] for one in new["graph"]["nodes"]]
    marks = {"n0": "changed", "n1": "removed", "n2": "changed", "tag": "added"}
    assert {one: old["marks"].get(one) for one in marks} == marks
    assert old["marks"] == new["marks"]


def test_revisions_with_the_same_steps_say_so(history: History, chief: Client) -> None:
    first = history.journey.revisions.get().pk
    history.journey.save_revision()
    page = chief.get(url(history.journey, first, "latest")).text
    assert "The steps are the same." in page
    assert drawings(page) == []


def test_revision_that_cannot_be_read_is_told(history: History, chief: Client) -> None:
    draft = history.journey.get_latest_revision_as_object()
    draft.graph = {"nodes": 7}
    draft.save_revision()
    assert "cannot be compared" in chief.get(url(history.journey)).text


@pytest.mark.parametrize("rights", [(), ("view_journey",), ("add_journey",), ("change_template",)])
def test_comparison_is_for_those_who_may_change_the_journey(
    changed: Journey, client_with: ClientWith, rights: tuple[str, ...]
) -> None:
    answer = client_with(*rights).get(url(changed))
    assert answer.status_code in (302, 403)
    assert "gently" not in answer.content.decode()


def test_revision_of_another_journey_is_not_shown(changed: Journey, chief: Client) -> None:
    other = Journey.objects.exclude(pk=changed.pk).get()
    foreign = other.revisions.order_by("pk").first()
    assert foreign is not None
    assert chief.get(url(changed, foreign.pk, "latest")).status_code == 404


def test_history_leads_to_the_comparison(changed: Journey, chief: Client) -> None:
    for _save in range(2):
        changed.get_latest_revision_as_object().save_revision(log_action=True)
    page = chief.get(reverse("triggers_journeys:history", args=[changed.pk])).text
    assert "/revisions/compare/" in page


def test_templates_are_compared_in_words(history: History, client_with: ClientWith) -> None:
    row = history.template
    draft = row.get_latest_revision_as_object()
    draft.subject = "Your cart misses you"
    draft.save_revision()
    address = reverse("triggers_templates:revisions_compare", args=[row.pk, "live", "latest"])
    page = client_with("change_template").get(address).text
    assert "misses you" in page
    assert client_with("view_template").get(address).status_code in (302, 403)
