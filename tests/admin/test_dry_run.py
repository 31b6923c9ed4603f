"""The page that says what a journey would have done, and what publishing it would change."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import ClientWith, History
from tests.shop import cart, journey, line, order, template, topic
from wagtail_triggers.api import Who, subscribe
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message
from wagtail_triggers.testing import captured_messages, run_until_idle


def url(row: Journey, query: str = "") -> str:
    return reverse("triggers_journeys:rehearsal", args=[row.pk]) + query


def figures(page: str) -> dict[str, int]:
    found = re.search(r'<dl class="triggers-figures">(.*?)</dl>', page, re.S)
    assert found is not None
    pairs = re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", found[1])
    return {label: int(number.replace(",", "")) for label, number in pairs}


def save_draft(row: Journey, graph: dict[str, Any]) -> None:
    draft = row.get_latest_revision_as_object()
    draft.graph = graph
    draft.save_revision()


def test_page_tells_what_the_published_version_has_really_done(
    history: History, client_with: ClientWith
) -> None:
    page = client_with("change_journey").get(url(history.journey, "?of=live&days=7")).text
    assert figures(page) == {
        "would have entered": 1,
        "messages sent": 1,
        "of them to people who had bought meanwhile": 0,
        "converted": 1,
        "left before the end": 0,
        "went through to the end": 0,
        "still under way": 0,
    }
    assert "you left something" in page
    assert "Ada Lovelace" not in page  # that asks for the permission to look at contacts


def test_page_names_people_for_those_who_may_look_at_them(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("change_journey", "view_contact")
    assert "Ada Lovelace" in client.get(url(history.journey, "?days=7")).text


def test_draft_is_rehearsed_as_it_was_saved_last_and_its_changes_are_told(
    history: History, clock: FrozenClock, chief: Client
) -> None:
    clock.travel(timedelta(days=3))
    graph = deepcopy(history.journey.graph)
    graph["nodes"] = [one for one in graph["nodes"] if one["kind"] != "goal"]
    graph["nodes"][2]["settings"] = {"amount": 2, "unit": "days"}
    save_draft(history.journey, graph)
    page = chief.get(url(history.journey)).text
    assert figures(page)["converted"] == 0
    assert figures(page)["went through to the end"] == 1
    assert "What publishing would change in version 1" in page
    changes = re.sub(r"\s+", " ", page)
    assert "<del>Wait 1 day</del>" in changes
    assert "<ins>Wait 2 days</ins>" in changes
    assert "Nobody is under way." in page
    old = chief.get(url(history.journey, "?of=live")).text
    assert figures(old)["converted"] == 1
    assert "What publishing would change" not in old


def test_people_under_way_are_counted_by_step_before_anything_is_published(
    clock: FrozenClock, chief: Client
) -> None:
    row = journey("Hello", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "wait", "amount": 5, "unit": "days"},
    ])  # fmt: skip
    with captured_messages():
        for number in range(3):
            who = Who(user_id=number, email=f"p{number}@example.com")
            order(str(number), line("Shirt"), who=who)
        run_until_idle()
    graph = deepcopy(row.graph)
    graph["nodes"][1]["settings"]["amount"] = 9
    save_draft(row, graph)
    page = re.sub(r"\s+", " ", chief.get(url(row)).text)
    assert "3 people are under way." in page
    assert re.search(r"Wait 5 days.{0,120}version 1.{0,200}changed.{0,80}>3<", page)
    assert Enrolment.objects.filter(version=row.live_version).count() == 3


def test_draft_that_is_not_finished_says_what_stands_in_the_way(
    history: History, chief: Client
) -> None:
    graph = deepcopy(history.journey.graph)
    graph["nodes"][2]["settings"] = {}
    save_draft(history.journey, graph)
    page = chief.get(url(history.journey)).text
    assert "It is not finished yet" in page
    assert "This is missing. Fill it in." in page
    assert 'class="triggers-figures"' not in page


def test_journey_that_was_never_published_can_be_rehearsed(history: History, chief: Client) -> None:
    row = Journey(site=history.journey.site, name="New", live=False)
    row.graph = deepcopy(history.journey.graph)
    row.save()
    row.save_revision()
    assert figures(chief.get(url(row)).text)["would have entered"] == 1
    assert "As it is published" not in chief.get(url(row)).text


@pytest.mark.parametrize("days", ["30", "90", "7", "-1", "x", "100000"])
def test_any_span_is_answered(history: History, chief: Client, days: str) -> None:
    page = chief.get(url(history.journey, f"?days={days}")).text
    assert page.count('aria-current="true"') == 2


def test_page_changes_nothing_and_only_reads(history: History, chief: Client) -> None:
    before = (Message.objects.count(), Enrolment.objects.count())
    with CaptureQueriesContext(connection) as queries:
        assert chief.get(url(history.journey)).status_code == 200
    ours = [one["sql"] for one in queries if "wagtail_triggers" in one["sql"]]
    # PostgreSQL reads long tables through a cursor.
    assert [one for one in ours if not one.startswith(("SELECT", "DECLARE "))] == []
    assert (Message.objects.count(), Enrolment.objects.count()) == before
    assert chief.post(url(history.journey)).status_code == 405


@pytest.mark.parametrize(
    ("rights", "allowed"),
    [
        (("change_journey",), True),
        (("publish_journey",), True),
        (("view_journey",), False),
        (("change_template", "view_contact"), False),
    ],
)
def test_page_is_for_those_who_write_or_publish(
    history: History, client_with: ClientWith, rights: tuple[str, ...], allowed: bool
) -> None:
    answer = client_with(*rights).get(url(history.journey))
    assert (answer.status_code == 200) is allowed


def test_editor_is_led_here_from_the_editor_and_from_people_under_way(
    history: History, chief: Client
) -> None:
    edit = chief.get(reverse("triggers_journeys:edit", args=[history.journey.pk])).text
    assert f'href="{url(history.journey)}"' in edit
    inspect = chief.get(reverse("triggers_journeys:inspect", args=[history.journey.pk])).text
    assert f'href="{url(history.journey)}"' in inspect


def test_reasons_are_told_in_words(clock: FrozenClock, chief: Client) -> None:
    about = topic("carts")
    letter = template("Left", kind="marketing", topic=about)
    row = journey("Cart", [
        {"kind": "entry", "event": "cart_abandoned", "reentry": {"rule": "once"}},
        {"kind": "send", "template": letter},
    ])  # fmt: skip
    with captured_messages():
        subscribe("ada@example.com", "carts", source="test")
        for number, name in enumerate(("ada", "bob", "ada")):
            cart(f"c{number}", line("Shirt"), who=Who(email=f"{name}@example.com"))
            run_until_idle()
            clock.travel(timedelta(hours=3))
            run_until_idle()
    page = chief.get(url(row)).text
    assert "The person has not subscribed to this topic." in page
    assert "The person has been in this journey, and it takes each person once." in page
