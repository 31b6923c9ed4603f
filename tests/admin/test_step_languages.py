"""The form of a send step: which languages a message has, and the ways to it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Locale, Site

from tests.admin.conftest import ClientWith
from tests.shop import template
from wagtail_triggers.messages.models import Template


def graph(key: str) -> dict[str, Any]:
    return {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "letter", "kind": "send", "settings": {"template": key}},
            {"id": "end", "kind": "end", "settings": {}},
        ],
        "edges": [
            {"source": "in", "port": "next", "target": "letter"},
            {"source": "letter", "port": "next", "target": "end"},
        ],
    }


def asked(client: Client, view: str, key: str) -> dict[str, Any]:
    site = Site.objects.get(is_default_site=True).pk
    data = {"canvas-graph": json.dumps(graph(key)), "canvas-site": site, "canvas-node": "letter"}
    answer: dict[str, Any] = client.post(reverse(f"triggers_journeys:{view}"), data).json()
    return answer


def translated(key: str) -> None:
    """Publish the template in German too."""
    german = Locale.objects.get_or_create(language_code="de")[0]
    made = Template.objects.get(translation_key=key).copy_for_translation(german)
    made.save()
    made.save_revision().publish()


@pytest.fixture
def welcome(db: None) -> str:
    return template("Welcome")


def warnings(client: Client, key: str) -> list[dict[str, str]]:
    found = asked(client, "canvas", key)["problems"]
    return [one for one in found if one["severity"] == "warning"]


def test_missing_language_is_a_warning_at_the_node_and_in_the_form(
    welcome: str, chief: Client
) -> None:
    Locale.objects.create(language_code="de")
    (one,) = warnings(chief, welcome)
    assert (one["node"], one["field"]) == ("letter", "template")
    assert "German is missing" in one["message"]
    form = asked(chief, "step", welcome)
    assert "Welcome (English)" in form["html"]
    assert form["errors"]["template"][0][0] == "warning"


def test_message_in_all_languages_warns_of_nothing_and_names_them(
    welcome: str, chief: Client
) -> None:
    translated(welcome)
    assert warnings(chief, welcome) == []
    assert re.search(r"Welcome[^<]*\(English, German\)", asked(chief, "step", welcome)["html"])


def test_site_with_one_language_is_told_nothing_of_languages(welcome: str, chief: Client) -> None:
    assert warnings(chief, welcome) == []
    assert "English" not in asked(chief, "step", welcome)["html"]


def doors(page: str) -> dict[str, Any]:
    found = re.search(r'data-triggers-chooser="([^"]*)"', page)
    assert found is not None
    made: dict[str, Any] = json.loads(html.unescape(found[1]))
    return made


@pytest.mark.parametrize(
    ("rights", "ways"),
    [
        ((), {"choose", "rows"}),
        (("add_template",), {"choose", "rows", "add"}),
        (("change_template",), {"choose", "rows", "edit"}),
    ],
)
def test_ways_to_templates_are_for_those_who_may_go_them(
    welcome: str, client_with: ClientWith, rights: tuple[str, ...], ways: set[str]
) -> None:
    client = client_with("change_journey", *rights)
    found = doors(asked(client, "step", welcome)["html"])
    assert set(found) == ways
    row = Template.objects.get(translation_key=welcome)
    assert found["rows"] == ([[welcome, row.pk]] if rights else [])
