"""The page that answers "why did she not get it?", and the ways to it."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import ClientWith, History
from tests.shop import ADA, journey, template
from wagtail_triggers.admin.home import TriggersPanel
from wagtail_triggers.api import Who, track
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message, MessageEvent
from wagtail_triggers.testing import captured_messages, run_until_idle

PEOPLE = "triggers_journeys:why_people"
READER = ("view_enrolment", "view_contact", "view_journey", "view_message", "view_event")


def why_url(row: Journey, contact: Contact) -> str:
    return reverse("triggers_journeys:why", args=[row.pk, contact.pk])


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_page_answers_in_a_sentence_with_rule_version_and_time(
    history: History, client_with: ClientWith
) -> None:
    html = page(client_with(*READER), why_url(history.journey, history.contact))
    assert 'data-code="converted"' in html
    assert "The person reached the goal, and left the journey with that" in html
    assert "version 1 of the journey" in html
    assert f"{reverse('triggers_journeys:inspect', args=[history.journey.pk])}?version=1" in html
    assert reverse("triggers_enrolments:inspect", args=[history.run.pk]) in html
    assert "was sent." in html


def test_page_shows_what_is_planned_with_its_time(
    history: History, chief: Client, clock: FrozenClock
) -> None:
    with captured_messages():
        wait = {"kind": "wait", "amount": 3, "unit": "days"}
        letter = {"kind": "send", "template": template("Later")}
        row = journey("Slow", [{"kind": "entry", "event": "user_registered"}, wait, letter])
        track("user_registered", contact=ADA, key="2")
        run_until_idle()
    html = page(chief, why_url(row, history.contact))
    assert 'data-code="waiting"' in html
    planned = html[html.index("Planned for the next 30 days") :]
    assert "Later" in planned
    at = clock.moment + timedelta(days=3)
    assert at.strftime("%m/%d/%Y") in planned


def test_page_of_somebody_who_never_came_by_says_so(history: History, chief: Client) -> None:
    track(
        "page_viewed", contact=Who(email="new@example.com"), payload={"url": "https://a.example/"}
    )
    run_until_idle()
    stranger = Contact.objects.get(email="new@example.com")
    html = page(chief, why_url(history.journey, stranger))
    assert "Nothing has happened that starts the journey." in html
    assert "Nothing. The person is not in the journey." in html


@pytest.mark.parametrize("missing", ["view_enrolment", "view_contact", "view_journey"])
def test_page_without_one_of_its_rights_is_out_of_reach(
    missing: str, history: History, client_with: ClientWith
) -> None:
    client = client_with(*(one for one in READER if one != missing))
    answer = client.get(why_url(history.journey, history.contact))
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_search_from_a_journey_finds_people_by_parts_of_name_and_address(
    history: History, client_with: ClientWith
) -> None:
    client = client_with(*READER)
    url = reverse(PEOPLE, args=[history.journey.pk])
    assert why_url(history.journey, history.contact) not in page(client, url)
    for words in ("ada", "love ada", "EXAMPLE.com"):
        assert why_url(history.journey, history.contact) in page(client, f"{url}?q={words}")
    assert "Nobody was found." in page(client, f"{url}?q=zora")
    assert client_with("view_enrolment", "view_journey").get(url).status_code == 302


def test_ways_to_the_page_are_offered_on_person_run_message_and_journey(
    history: History, chief: Client
) -> None:
    url = why_url(history.journey, history.contact)
    for space, row in (
        ("triggers_contacts", history.contact),
        ("triggers_enrolments", history.run),
        ("triggers_messages", history.message),
    ):
        assert url in page(chief, reverse(f"{space}:inspect", args=[row.pk])), space
    journey_page = page(chief, reverse("triggers_journeys:inspect", args=[history.journey.pk]))
    assert reverse(PEOPLE, args=[history.journey.pk]) in journey_page


def test_message_page_tells_its_way_its_chain_and_its_reports(
    history: History, chief: Client
) -> None:
    message = history.message
    trail = [{
        "state": "deferred", "reason": "The journey is paused.", "at": "2026-05-01T13:00:00+00:00",
        "until": "2026-05-02T13:00:00+00:00", "times": 3,
    }]  # fmt: skip
    Message.objects.filter(pk=message.pk).update(trail=trail)
    assert message.settled_at is not None
    MessageEvent.objects.create(
        site_id=message.site_id, message=message, kind="delivered", at=message.settled_at,
        recorded_at=message.settled_at, provider="esp", provider_event_id="1", detail="250 OK",
    )  # fmt: skip
    html = page(chief, reverse("triggers_messages:inspect", args=[message.pk]))
    for words in ("\u00d7 3", "The journey is paused.", "250 OK", "It began a run of", "Send “"):
        assert words in html


def test_message_page_hides_people_from_those_who_may_not_see_them(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_message", "view_enrolment")
    url = reverse("triggers_messages:inspect", args=[history.message.pk])
    for html in (page(client, url), page(client, reverse("triggers_messages:index"))):
        for secret in ("ada@example.com", "Ada", "Lovelace"):
            assert secret not in html.replace(str(history.template), "")
    assert "<iframe" not in page(client, url)
    body = client.get(reverse("triggers_messages:body", args=[history.message.pk]))
    assert body.status_code == 302
    found = page(client, reverse("triggers_messages:index") + "?q=ada@example.com")
    assert url not in found


def test_start_page_shows_numbers_and_problems_within_rights_at_a_fixed_cost(
    history: History, client_with: ClientWith
) -> None:
    html = page(client_with(*READER), "/admin/")
    assert "triggers-home" in html
    for words in ("Journeys that run", "Sent today", "People under way", "1 run is parked"):
        assert words in html
    assert "state=parked" in html
    narrow = page(client_with("view_journey"), "/admin/")
    assert "Journeys that run" in narrow
    assert "Sent today" not in narrow
    assert "is parked" not in narrow
    assert "triggers-home" not in page(client_with("view_topic"), "/admin/")


def test_start_page_costs_the_same_however_much_there_is(
    history: History, client_with: ClientWith
) -> None:
    chief = User.objects.create_superuser("boss", "boss@example.com", "x")

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            TriggersPanel(chief).get_context_data()
        return len(queries)

    before = cost()
    for number in range(4):
        journey(f"More {number}", [{"kind": "entry", "event": "user_registered"}])
    for number in range(5):
        track("user_registered", contact=Who(email=f"p{number}@example.com"))
    run_until_idle()
    assert cost() == before <= 10
