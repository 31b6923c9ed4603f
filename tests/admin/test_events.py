"""Events: what came in, what was set aside, what it led to."""

from __future__ import annotations

from html import unescape

from django.test import Client
from django.urls import reverse

from tests.admin.conftest import ClientWith, History
from wagtail_triggers.engine.models import Refusal
from wagtail_triggers.events.models import Event


def inspect_url(event: Event) -> str:
    return reverse("triggers_events:inspect", args=[event.pk])


def test_events_narrowed_to_problems_are_those_that_were_set_aside(
    history: History, chief: Client
) -> None:
    bad = Event.objects.get(name="order_placed")
    Event.objects.filter(pk=bad.pk).update(problem="The total is missing. Send it.")
    html = chief.get(reverse("triggers_events:index"), {"state": "problem"}).content.decode()
    assert inspect_url(bad) in html
    assert inspect_url(history.event) not in html
    assert "set aside" in html


def test_event_page_shows_data_runs_and_refusals(history: History, chief: Client) -> None:
    Refusal.objects.create(
        journey=history.journey,
        contact=history.contact,
        event=history.event,
        reason="entered_once",
        at=history.event.occurred_at,
    )
    html = unescape(chief.get(inspect_url(history.event)).content.decode())
    assert '"cart_id": "12"' in html
    assert reverse("triggers_enrolments:inspect", args=[history.run.pk]) in html
    assert (
        "Abandoned cart: The person has been in this journey, and it takes each person once."
        in html
    )


def test_event_page_of_a_problem_says_it_first(history: History, chief: Client) -> None:
    Event.objects.filter(pk=history.event.pk).update(problem="The total is missing. Send it.")
    html = chief.get(inspect_url(history.event)).content.decode()
    assert "The total is missing. Send it." in html


def test_event_page_hides_the_person_from_those_who_may_not_see_contacts(
    history: History, client_with: ClientWith
) -> None:
    event = Event.objects.get(name="order_placed")
    hidden = client_with("view_event").get(inspect_url(event)).content.decode()
    assert "ada@example.com" not in hidden
    shown = client_with("view_event", "view_contact").get(inspect_url(event)).content.decode()
    assert "ada@example.com" in shown


def test_event_page_escapes_a_payload(history: History, chief: Client) -> None:
    Event.objects.filter(pk=history.event.pk).update(payload={"q": "</pre><script>alert(1)"})
    assert "<script>alert(1)" not in chief.get(inspect_url(history.event)).content.decode()
