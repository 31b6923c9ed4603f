"""The page of a run, step by step."""

from __future__ import annotations

from html import unescape

from django.test import Client
from django.urls import reverse

from tests.admin.conftest import ClientWith, History
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import JourneyVersion


def page_of(client: Client, run: Enrolment) -> str:
    response = client.get(reverse("triggers_enrolments:inspect", args=[run.pk]))
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_run_page_tells_each_step_in_a_sentence_in_its_order(
    history: History, chief: Client
) -> None:
    html = page_of(chief, history.run)
    sent = html.index("Send “{{ contact.first_name }}, you left something”")
    waited = html.index("Wait 1 day: until 05/02/2026 2 p.m.")
    assert sent < waited
    for words in ("Ada Lovelace", "cart:12", "cart_abandoned", "reached the goal", "42.00 EUR"):
        assert words in html
    assert "“Order placed” happened" in html


def test_run_page_links_contact_event_and_messages_for_those_who_may_see_them(
    history: History, chief: Client, client_with: ClientWith
) -> None:
    links = [
        reverse("triggers_contacts:inspect", args=[history.contact.pk]),
        reverse("triggers_events:inspect", args=[history.event.pk]),
        reverse("triggers_messages:inspect", args=[history.message.pk]),
    ]
    full, bare = page_of(chief, history.run), page_of(client_with("view_enrolment"), history.run)
    assert [link in full for link in links] == [True, True, True]
    assert [link in bare for link in links] == [False, False, False]
    assert "Ada" not in bare


def test_run_page_of_a_parked_run_says_why_and_where(history: History, chief: Client) -> None:
    html = page_of(chief, history.parked)
    assert "This run is parked" in html
    assert "Stands at" in html
    assert "The template of this step is not published. Publish it and try again." in html


def test_run_page_still_opens_when_its_event_is_no_longer_kept(
    history: History, chief: Client
) -> None:
    Event.objects.filter(pk=history.event.pk).delete()
    assert "an event that is no longer kept" in page_of(chief, history.run)


def test_run_page_still_opens_when_its_version_can_no_longer_be_read(
    history: History, chief: Client
) -> None:
    graph = {"nodes": [{"id": "n0", "kind": "gone", "settings": {}}], "edges": []}
    JourneyVersion.objects.filter(pk=history.run.version_id).update(graph=graph)
    assert "send (n1)" in page_of(chief, history.run)


def test_listing_of_runs_narrowed_by_state_shows_those_alone(
    history: History, chief: Client
) -> None:
    url = reverse("triggers_enrolments:index_results")
    html = unescape(chief.get(url, {"state": "parked"}).content.decode())
    assert reverse("triggers_enrolments:inspect", args=[history.parked.pk]) in html
    assert reverse("triggers_enrolments:inspect", args=[history.run.pk]) not in html
    assert "Send “Welcome”" in html
