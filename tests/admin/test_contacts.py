"""The page of a contact: what is known, what was agreed to, and one timeline of everything."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import ClientWith, History
from tests.shop import ADA, topic
from wagtail_triggers.admin.timeline import Entry, Timeline
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.addresses import current_hash
from wagtail_triggers.consent.models import Suppression, Topic
from wagtail_triggers.consent.subscriptions import Change, suppress
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Refusal
from wagtail_triggers.events.models import Event
from wagtail_triggers.testing import run_until_idle


def page_of(client: Client, contact: Contact, query: str = "") -> str:
    response = client.get(reverse("triggers_contacts:inspect", args=[contact.pk]) + query)
    assert response.status_code == 200
    return unescape(response.content.decode())


def view_products(count: int, clock: FrozenClock) -> None:
    for number in range(count):
        track("product_viewed", contact=ADA, key=f"p{number}", payload={"sku": f"p{number}"})
        clock.travel(timedelta(minutes=1))
    run_until_idle()


def test_contact_page_names_identities_facts_and_consent(history: History, chief: Client) -> None:
    topic("gifts", consent=Topic.Consent.SOFT)
    html = page_of(chief, history.contact)
    for words in ("Ada Lovelace", "ada@example.com", "User id", "42.00 EUR", "Carts", "subscribed"):
        assert words in html
    assert re.search(r"Gifts.*?did not object", html, re.DOTALL)
    assert "Stopped on" not in html


def test_contact_page_of_a_suppressed_address_says_what_stops_it(
    history: History, chief: Client, clock: FrozenClock
) -> None:
    change = Change(history.contact.site_id, "email", "ada@example.com", "provider")
    suppress(
        change,
        current_hash("email", "ada@example.com"),
        scope=Suppression.Scope.ALL,
        reason=Suppression.Reason.BOUNCED,
        moment=clock.moment,
    )
    html = page_of(chief, history.contact)
    assert re.search(r"Stopped on email: every message \(the address does not exist", html)


def test_contact_page_escapes_what_customers_wrote(history: History, chief: Client) -> None:
    Contact.objects.filter(pk=history.contact.pk).update(
        first_name="<script>alert(1)</script>", facts={"shoe": "<img src=x onerror=alert(1)>"}
    )
    url = reverse("triggers_contacts:inspect", args=[history.contact.pk])
    html = chief.get(url).content.decode()
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_contact_found_to_be_another_leads_there_and_leaves_the_listing(
    history: History, chief: Client
) -> None:
    loser = Contact.objects.create(
        site_id=history.contact.site_id,
        email="old@example.com",
        merged_into=history.contact,
        created_at=history.contact.created_at,
    )
    assert reverse("triggers_contacts:inspect", args=[history.contact.pk]) in page_of(chief, loser)
    listing = chief.get(reverse("triggers_contacts:index")).content.decode()
    assert "old@example.com" not in listing
    assert "ada@example.com" in listing


def test_timeline_tells_event_run_step_message_and_end_newest_first(
    history: History, chief: Client
) -> None:
    user = User.objects.get(username="chief")
    entries = Timeline(history.contact, user).page().entries
    told = [entry.title for entry in entries]
    assert [entry.at for entry in entries] == sorted((e.at for e in entries), reverse=True)
    expected = [
        "Left “Abandoned cart”",
        "Order placed",
        "Ada, you left something",
        "Wait 1 day: until 05/02/2026 2 p.m.",
        "Send “{{ contact.first_name }}, you left something”",
        "Entered “Abandoned cart”",
        "Cart abandoned",
        "Cart changed",
        "Subscribed to a topic",
    ]
    assert [title for title in told if title in expected] == expected
    parked = "Send “Welcome”: The template of this step is not published. Publish it and try again."
    assert parked in told
    html = page_of(chief, history.contact)
    assert html.index("Left “Abandoned cart”") < html.index("Cart changed")


def test_timeline_tells_why_somebody_did_not_enter(history: History, chief: Client) -> None:
    Refusal.objects.create(
        journey=history.journey,
        contact=history.contact,
        event=history.event,
        reason="already_done",
        at=history.event.occurred_at,
    )
    html = page_of(chief, history.contact)
    assert "Did not enter “Abandoned cart”" in html
    assert "What would end the journey has happened already." in html


def test_timeline_page_by_page_gives_everything_once(
    history: History, clock: FrozenClock, chief: Client
) -> None:
    view_products(25, clock)
    # All at one moment: pages must part what time cannot.
    Event.objects.filter(name="product_viewed").update(occurred_at=clock.moment)
    timeline = Timeline(history.contact, User.objects.get(username="chief"))
    whole = timeline.page(size=1000)
    assert whole.older == ""
    found: list[Entry] = []
    mark = ""
    while True:
        page = timeline.page(mark, size=7)
        assert len(page.entries) <= 7
        found += page.entries
        mark = page.older
        if not mark:
            break
    assert found == list(whole.entries)
    assert len(found) > 30


def test_timeline_page_costs_the_same_queries_for_a_short_and_a_long_history(
    history: History, chief: Client, clock: FrozenClock
) -> None:
    url = reverse("triggers_contacts:inspect", args=[history.contact.pk])
    chief.get(url)
    with CaptureQueriesContext(connection) as short:
        chief.get(url)
    view_products(60, clock)
    with CaptureQueriesContext(connection) as long:
        html = chief.get(url).content.decode()
    assert len(long) == len(short)
    # Session, user, contact; identities, answers, topics, suppressions; six of the timeline and
    # the names of templates. The rest is Wagtail's frame around every page.
    assert len(long) <= 28
    assert html.count("triggers-timeline__entry") == 40
    assert "Older" in html


def test_timeline_second_page_shows_what_the_first_left_out(
    history: History, chief: Client, clock: FrozenClock
) -> None:
    view_products(60, clock)
    first = page_of(chief, history.contact)
    assert "Subscribed to a topic" not in first
    older = re.search(r'href="(\?before=[^"]+)"', first)
    assert older is not None
    second = page_of(chief, history.contact, older[1])
    assert "Subscribed to a topic" in second
    assert "Newest" in second


def test_timeline_with_a_made_up_mark_begins_at_the_newest(history: History, chief: Client) -> None:
    assert "Left “Abandoned cart”" in page_of(chief, history.contact, "?before=x:y:z")


def test_timeline_for_somebody_who_may_see_contacts_alone_is_empty(
    history: History, client_with: ClientWith
) -> None:
    html = page_of(client_with("view_contact"), history.contact)
    assert "triggers-timeline__entry" not in html
    only_events = page_of(client_with("view_contact", "view_event"), history.contact)
    assert "Order placed" in only_events
    assert "Left “Abandoned cart”" not in only_events
    assert "Ada, you left something" not in only_events


def test_contact_without_address_or_events_is_shown_without_fault(
    history: History, chief: Client, clock: FrozenClock
) -> None:
    track("page_viewed", contact=Who(cookie_id="c1"), payload={"url": "https://shop.example/"})
    run_until_idle()
    stranger = Contact.objects.get(email="")
    html = page_of(chief, stranger)
    assert "Anonymous visitor" in html
    assert "There is no address that messages could go to" in html
