"""Facts are kept up to date by events, never by an older one over a newer one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from wagtail_triggers.contacts import known_facts as declarations
from wagtail_triggers.contacts.facts import learn, zone_of
from wagtail_triggers.contacts.known_facts import declare_fact, known_facts
from wagtail_triggers.contacts.models import Contact

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_learn_takes_over_what_is_said_and_leaves_the_rest() -> None:
    contact = Contact(last_name="Lovelace")
    learn(contact, {"first_name": "Ada", "last_name": "", "birthday": "1990-02-28"}, NOON)
    assert (contact.first_name, contact.last_name) == ("Ada", "Lovelace")
    assert (contact.birthday, contact.last_seen_at) == (date(1990, 2, 28), NOON)


@pytest.mark.parametrize(("later", "kept"), [(HOUR, "new"), (-HOUR, "old"), (0 * HOUR, "new")])
def test_learn_keeps_the_newer_of_two_whatever_order_they_come_in(
    later: timedelta, kept: str
) -> None:
    contact = Contact()
    learn(contact, {"first_name": "old", "facts": {"tier": "old"}}, NOON)
    learn(contact, {"first_name": "new", "facts": {"tier": "new"}}, NOON + later)
    assert (contact.first_name, contact.facts["tier"]) == (kept, kept)
    assert contact.last_seen_at == max(NOON, NOON + later)


def test_learn_judges_each_fact_by_its_own_time() -> None:
    contact = Contact()
    learn(contact, {"first_name": "Ada"}, NOON)
    learn(contact, {"first_name": "Old", "language": "de"}, NOON - HOUR)
    assert (contact.first_name, contact.language) == ("Ada", "de")


def test_declared_facts_are_known_beside_the_built_in_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(declarations, "_declared", {})
    declare_fact("tier", "text")
    assert known_facts()["tier"] == "text"
    assert known_facts()["orders_count"] == "number"


def test_declaring_a_fact_wrongly_says_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declarations, "_declared", {})
    with pytest.raises(ValueError, match="choose one of text, number, date, datetime, yes_no"):
        declare_fact("tier", "colour")
    with pytest.raises(ValueError, match="'email' is a built-in fact; choose another name"):
        declare_fact("email", "text")
    assert declarations._declared == {}


@pytest.mark.parametrize(
    ("contact", "site", "project", "zone"),
    [
        ("Asia/Tokyo", "Europe/Berlin", "UTC", "Asia/Tokyo"),
        ("", "Europe/Berlin", "UTC", "Europe/Berlin"),
        ("Mars/Olympus", "Europe/Berlin", "UTC", "Europe/Berlin"),
        ("../etc/passwd", "", "Europe/Paris", "Europe/Paris"),
        ("", "", "", "UTC"),
    ],
)
def test_zone_is_the_persons_then_the_sites_then_the_projects(
    settings: Settings, contact: str, site: str, project: str, zone: str
) -> None:
    settings.TIME_ZONE = project
    assert zone_of(contact, site).key == zone
