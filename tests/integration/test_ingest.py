"""The door for events: one INSERT, and an error that says the fix."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from wagtail.models import Page, Site

from tests.shop import ADA, line, order
from wagtail_triggers.api import InvalidEvent, Who, identify, track
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.exceptions import ConfigurationError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quiet(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"


def test_track_keeps_what_happened_to_whom_and_when(clock: FrozenClock) -> None:
    assert track(
        "order_placed", contact=ADA, key=77, dedupe_key="order:77:placed",
        payload={"order_id": 77, "cart_id": 12, "note": "gift",
                 "total": {"amount": Decimal("42.00"), "currency": "EUR"}},
    ) is True  # fmt: skip
    event = Event.objects.get()
    assert (event.name, event.key, event.source) == ("order_placed", "77", "shop")
    assert event.refs == ["cart:12", "order:77"]
    assert event.payload["total"] == {"amount": "42.00", "currency": "EUR"}
    assert event.payload["note"] == "gift"
    assert event.who["email"] == "ada@example.com"
    assert event.occurred_at == event.recorded_at == clock.read()
    assert (event.routed_at, event.resolved, event.contact_id) == (None, False, None)


def test_track_costs_one_statement_and_makes_no_contact() -> None:
    order("0", line())  # the site is remembered
    with CaptureQueriesContext(connection) as queries:
        order("1", line())
    assert len(queries) == 1
    # PostgreSQL has it prepared; `test_outbox.py` looks at what that is.
    assert queries.captured_queries[0]["sql"].startswith(("INSERT", "SAVEPOINT wt_event; EXECUTE"))
    assert "FOR " not in queries.captured_queries[0]["sql"].replace("FORMAT", "")
    assert Contact.objects.count() == 0


def test_track_of_a_known_person_carries_the_contact_as_a_hint() -> None:
    order("1", line())
    route_batch()
    order("2", line())
    assert Event.objects.get(key="2").contact_id == Contact.objects.get().pk


def test_dedupe_key_is_taken_once_per_site_and_source() -> None:
    root = Page.objects.get(depth=1).get_children().get()
    other = Site.objects.create(hostname="b.example", root_page=root)
    told: dict[str, Any] = {"contact": ADA, "payload": {"url": "/"}, "dedupe_key": "x"}
    assert track("page_viewed", **told) is True
    assert track("page_viewed", **told) is False
    assert track("page_viewed", **told, source="crm") is True
    assert track("page_viewed", **told, site=other) is True
    assert track("page_viewed", contact=ADA, payload={"url": "/"}) is True
    assert track("page_viewed", contact=ADA, payload={"url": "/"}) is True
    assert Event.objects.count() == 5


@pytest.mark.parametrize(
    ("call", "fix"),
    [
        ({"name": "order_place"}, "Did you mean 'order_placed'"),
        ({"name": "zzz"}, r"Register your own with wagtail_triggers.api.register_event"),
        ({"name": "cart_abandoned"}, "Send cart_updated with every change of a cart instead"),
        ({"contact": None}, r"Write contact=Who\(user_id=user.pk"),
        ({"contact": Who(first_name="Ada")}, "give at least one of user_id, email"),
        ({"contact": "ada"}, "Leave email empty where none is known"),
        ({"payload": {}}, "The payload of order_placed is wrong. order_id: Field required"),
        ({"payload": {"order_id": "1", "total": {"amount": 4.2, "currency": "EUR"}}},
         "total.amount: Value error, A float cannot hold money exactly"),
        ({"payload": {"order_id": "1", "lines": [{"sku": "a", "name": "b", "quantity": -1}]}},
         "lines.0.quantity"),
        ({"payload": {"order_id": "1", "blob": "x" * 70_000}}, "at most 65536 fit. Send ids"),
        ({"occurred_at": datetime(2026, 5, 1)},  # noqa: DTZ001 - that is what is refused
         r"has no time zone. Pass django.utils.timezone.now\(\)"),
        ({"key": "k" * 129}, "key is longer than 128 characters"),
        ({"dedupe_key": ""}, "dedupe_key must have 1 to 200 characters"),
        ({"dedupe_key": "d" * 201}, "dedupe_key must have 1 to 200 characters"),
    ],
)  # fmt: skip
def test_wrong_call_is_refused_with_the_fix_and_records_nothing(
    call: dict[str, Any], fix: str
) -> None:
    good: dict[str, Any] = {
        "name": "order_placed", "contact": ADA, "payload": {"order_id": "1"},
    }  # fmt: skip
    arguments = good | call
    name = arguments.pop("name")
    with pytest.raises(InvalidEvent, match=fix):
        track(name, **arguments)
    assert Event.objects.count() == 0


def test_track_without_a_default_site_says_the_fix() -> None:
    Site.objects.all().update(is_default_site=False)
    from wagtail_triggers.core import sites

    sites.forget()
    with pytest.raises(ConfigurationError, match="Mark one under Settings > Sites"):
        identify(ADA)
    Site.objects.all().update(is_default_site=True)
    assert identify(ADA) is True


def test_event_of_the_past_keeps_its_time(clock: FrozenClock) -> None:
    then = datetime(2020, 1, 1, tzinfo=UTC)
    track("page_viewed", contact=ADA, payload={"url": "/"}, occurred_at=then)
    event = Event.objects.get()
    assert (event.occurred_at, event.recorded_at) == (then, clock.read())


def test_text_with_a_nul_does_not_end_the_shops_transaction() -> None:
    who = Who(user_id=1, first_name="A\x00da", facts={"note": ["a\x00b"]})
    assert track(
        "search_performed", contact=who, payload={"query": "\x00tea", "x\x00": 1}, key="\x00"
    )
    event = Event.objects.get()
    assert (event.payload["query"], event.payload["x"], event.key) == ("tea", 1, "")
    assert (event.who["first_name"], event.who["facts"]) == ("Ada", {"note": ["ab"]})


def test_text_that_tries_to_be_sql_is_only_text() -> None:
    nasty = "'; DROP TABLE wagtail_triggers_event; -- %s %(x)s \\"
    track("search_performed", contact=Who(cookie_id=nasty), payload={"query": nasty}, key="k")
    event = Event.objects.get()
    assert (event.payload["query"], event.who["cookie_id"]) == (nasty, nasty)
    route_batch()
    assert Contact.objects.count() == 1
