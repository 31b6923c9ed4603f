"""The Triggers menu shows each person what they may open, and nothing else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import ClientWith

PLACES = {
    "journey": "triggers_journeys:list",
    "template": "triggers_templates:list",
    "topic": "triggers_topics:index",
    "contact": "triggers_contacts:index",
    "enrolment": "triggers_enrolments:index",
    "task": "triggers_tasks:index",
    "message": "triggers_messages:index",
    "event": "triggers_events:index",
}
SETTINGS = "/admin/settings/wagtail_triggers/triggerssettings/"


def shown(client: Client) -> set[str]:
    html = client.get("/admin/").content.decode()
    return {name for name, view in PLACES.items() if f'"{reverse(view)}"' in html}


def test_menu_for_a_superuser_holds_every_place_in_its_order(chief: Client) -> None:
    assert shown(chief) == set(PLACES)
    html = chief.get("/admin/").content.decode()
    places = [html.index(f'"{reverse(view)}"') for view in PLACES.values()]
    assert places == sorted(places)
    assert SETTINGS in html


def test_menu_for_an_editor_without_rights_is_absent(client_with: ClientWith) -> None:
    client = client_with()
    html = client.get("/admin/").content.decode()
    assert shown(client) == set()
    assert "/admin/triggers/" not in html
    assert SETTINGS not in html


@pytest.mark.parametrize("name", PLACES)
def test_menu_for_somebody_with_one_right_holds_that_place_alone(
    name: str, client_with: ClientWith
) -> None:
    codename = "change_topic" if name == "topic" else f"view_{name}"
    assert shown(client_with(codename)) == {name}


def test_places_for_an_editor_without_rights_answer_with_the_way_home(
    client_with: ClientWith,
) -> None:
    client = client_with()
    answers = {name: client.get(reverse(view)) for name, view in PLACES.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        PLACES, 302
    )
    assert {answer["Location"] for answer in answers.values()} == {"/admin/"}


def test_places_for_somebody_not_logged_in_ask_for_a_login(db: None) -> None:
    for view in PLACES.values():
        assert Client().get(reverse(view))["Location"].startswith("/admin/login/")
