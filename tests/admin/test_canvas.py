"""What the canvas asks the server: forms for any kind of step, readings, numbers, permissions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from html import unescape
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from django import forms
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pydantic import BaseModel, Field
from wagtail.models import Site

import wagtail_triggers
from tests.admin.conftest import ClientWith, History
from tests.shop import template
from wagtail_triggers.admin.canvas import kinds_for_canvas
from wagtail_triggers.admin.canvas_words import WORDS
from wagtail_triggers.analytics.step_numbers import numbers as node_numbers
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.journeys.conditions import ConditionField
from wagtail_triggers.journeys.durations import Duration
from wagtail_triggers.journeys.steps.base import Run, Step, StepSettings, Surroundings
from wagtail_triggers.journeys.steps.decisions import Advance, Decision
from wagtail_triggers.journeys.steps.registry import steps

CANVAS = "triggers_journeys:canvas"
STEP = "triggers_journeys:step"
SOURCES = Path(wagtail_triggers.__file__).parent / "static_src" / "canvas" / "src"


class Paper(Enum):
    MATT = "matt"
    GLOSSY = "glossy"


class Address(BaseModel):
    street: str
    country: Literal["DE", "FR"] = "DE"


class Extra(BaseModel):
    name: Annotated[str, Field(pattern=r"^\w+$")]
    count: Annotated[int, Field(ge=1)] = 1
    tags: tuple[str, ...] = ()


class StrangeSettings(StepSettings):
    """Everything that pydantic lets a host write."""

    title: Annotated[str, Field(min_length=1, title="Headline", description="On the card.")]
    paper: Paper = Paper.MATT
    grams: float | None = None
    address: Address
    sender: Address | None = None
    extras: Annotated[list[Extra], Field(max_length=3)] = []
    days: Annotated[tuple[Literal["mon", "tue"], ...], Field(max_length=2)] = ()
    codes: list[int] = []
    either: int | Address | None = None
    data: Mapping[str, Any] = {}
    pause: Duration | None = None
    only_if: ConditionField = None
    from_: Annotated[str | None, Field(alias="from")] = None
    urgent: bool = False


class StrangeStep(Step[StrangeSettings]):
    identifier = "acme_card"
    label = "Print a card"
    description = "Sends a card by post."
    Settings = StrangeSettings
    form_labels = {"paper": "Sort of paper", "paper=glossy": "Shiny"}

    def decide(self, run: Run) -> Decision:
        return Advance()

    def describe(self, surroundings: Surroundings) -> str:
        return f"Print “{self.settings.title}”"


class OwnForm(forms.Form):
    title = forms.CharField(label="My own headline")

    class Media:
        js = ["acme/card.js"]

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        if "spam" in title:
            raise forms.ValidationError("Not that word.")
        return title

    def to_settings(self) -> dict[str, Any]:
        return {"title": self.cleaned_data["title"], "address": {"street": "Own"}}


@pytest.fixture
def strange(monkeypatch: pytest.MonkeyPatch) -> type[StrangeStep]:
    """A host's kind of step."""
    monkeypatch.setitem(steps._entries, StrangeStep.identifier, StrangeStep)
    return StrangeStep


def graph_with(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    entry = {"id": "start", "kind": "entry", "settings": {"event": "cart_abandoned"}}
    return {"nodes": [entry, {"id": "n", "kind": kind, "settings": settings}], "edges": []}


def ask(
    client: Client, kind: str, settings: Mapping[str, Any], posted: Any = None, do: str = ""
) -> dict[str, Any]:
    """Ask for a step's form; with `posted`, as the panel does after a change."""
    data = {
        "canvas-graph": json.dumps(graph_with(kind, settings)),
        "canvas-node": "n",
        "canvas-site": str(Site.objects.get(is_default_site=True).pk),
    }
    if posted is not None:
        data |= {"canvas-posted": "1", "canvas-do": do, **posted}
    response = client.post(reverse(STEP), data)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


FULL: dict[str, Any] = {
    "title": "Hello",
    "paper": "glossy",
    "grams": 2.5,
    "address": {"street": "Main Street", "country": "FR"},
    "sender": {"street": "Back Street"},
    "extras": [{"name": "bow", "count": 2, "tags": ["red", "silk"]}, {"name": "box"}],
    "days": ["tue"],
    "codes": [7, 8],
    "either": {"street": "Either Street"},
    "data": {"a": [1, None]},
    "pause": {"amount": 3, "unit": "hours"},
    "only_if": {"fact": "orders_count", "op": "gte", "value": 1},
    "from": "Ada",
    "urgent": True,
}


def fields_in(html: str) -> dict[str, str | list[str]]:
    """What a browser would send of this form, as it stands."""
    from wagtail.test.utils.form_data import querydict_from_html

    # A box that is ticked says "on", and a browser drops the first line break of a textarea.
    html = re.sub(
        r'<input type="checkbox" (?![^>]*value=)', '<input type="checkbox" value="on" ', html
    )
    html = re.sub(r"(<textarea[^>]*>)\n", r"\1", html)
    sent = querydict_from_html(f"<form>{html}</form>")
    return {name: values if len(values) > 1 else values[0] for name, values in sent.lists()}


def test_form_of_a_strange_kind_posted_back_as_it_is_says_the_same(
    strange: type[StrangeStep], chief: Client
) -> None:
    drawn = ask(chief, "acme_card", FULL)
    StrangeSettings.model_validate(FULL)
    assert drawn["errors"].keys() == {""}  # no way leads to it
    answer = ask(chief, "acme_card", FULL, fields_in(drawn["html"]))
    assert answer["settings"] == FULL
    assert answer["digest"] == drawn["digest"]


def test_form_of_a_strange_kind_has_its_words(strange: type[StrangeStep], chief: Client) -> None:
    html = unescape(ask(chief, "acme_card", FULL)["html"])
    assert "Headline" in html
    assert "On the card." in html
    assert "Sort of paper" in html
    assert re.search(r'<option value="glossy" selected>\s*Shiny', html)


def test_new_step_of_a_strange_kind_begins_with_what_needs_no_choice(
    strange: type[StrangeStep],
) -> None:
    kind = next(one for one in kinds_for_canvas() if one["kind"] == "acme_card")
    assert kind["settings"] == {"address": {}}
    assert kind["ports"] == [["next", "Next"]]


@pytest.mark.parametrize("settings", [{}, {"title": 7, "address": "x", "extras": 3, "days": "mon"}])
def test_form_for_settings_that_are_wrong_is_drawn_and_says_so(
    settings: dict[str, Any], strange: type[StrangeStep], chief: Client
) -> None:
    answer = ask(chief, "acme_card", settings)
    assert "title" in answer["errors"]
    assert answer["errors"].keys() <= {"", "title", "address", "extras", "days"}


def test_what_cannot_be_read_is_kept_as_it_was_typed_and_judged(chief: Client) -> None:
    answer = ask(chief, "wait", {"amount": 1, "unit": "days"}, {"amount": "soon", "unit": "days"})
    assert answer["settings"] == {"amount": "soon", "unit": "days"}
    assert [severity for severity, _words in answer["errors"]["amount"]] == ["error"]


def test_defaults_are_left_out_unless_they_were_said(chief: Client) -> None:
    posted = {"event": "order_placed", "reentry.rule": "each_key"}
    bare = ask(chief, "entry", {}, posted)["settings"]
    said = ask(chief, "entry", {"reentry": {"rule": "each_key"}}, posted)["settings"]
    assert bare == {"event": "order_placed"}
    assert said == {"event": "order_placed", "reentry": {"rule": "each_key"}}


def test_emptied_field_that_has_a_default_is_null(chief: Client) -> None:
    posted = {"fact": "birthday", "at": "", "side": "after", "feb29": "feb28"}
    settings = ask(chief, "wait_date", {"fact": "birthday"}, posted)["settings"]
    assert settings == {"fact": "birthday", "at": None}


def test_buttons_of_a_list_add_move_and_remove(chief: Client) -> None:
    split = {"variants": [{"name": "a"}, {"name": "b", "weight": 3}]}
    posted = fields_in(ask(chief, "split", split)["html"])
    more = ask(chief, "split", split, posted, "add:variants")
    assert [one["name"] for one in more["settings"]["variants"]] == ["a", "b", "c"]
    assert more["ports"] == [["a", "a"], ["b", "b"], ["c", "c"]]
    assert 'name="variants.2.name"' in more["html"]
    moved = ask(chief, "split", split, posted, "up:variants.1")["settings"]["variants"]
    assert moved == [{"name": "b", "weight": 3}, {"name": "a"}]
    gone = ask(chief, "split", split, posted, "remove:variants.0")["settings"]["variants"]
    assert gone == [{"name": "b", "weight": 3}]
    for nonsense in ("remove:variants.9", "add:nowhere", "up:variants", "x", "add:variants.0.name"):
        assert ask(chief, "split", split, posted, nonsense)["settings"] == split


def test_optional_object_opens_and_closes(strange: type[StrangeStep], chief: Client) -> None:
    settings = {"title": "x", "address": {"street": "y"}}
    posted = {"title": "x", "address.street": "y", "address.country": "DE"}
    opened = ask(chief, "acme_card", settings, {**posted, "sender.on": "on"})
    assert opened["settings"]["sender"] == {}
    assert 'name="sender.street"' in opened["html"]
    closed = ask(chief, "acme_card", {**settings, "sender": {"street": "z"}}, posted)
    assert "sender" not in closed["settings"]


def test_forged_count_of_a_list_costs_no_more_than_the_bound(chief: Client) -> None:
    answer = ask(chief, "split", {"variants": []}, {"variants.n": "999999999"})
    assert len(answer["settings"]["variants"]) == 200


def test_ways_out_follow_from_the_settings_right_or_wrong(chief: Client) -> None:
    paths = {"paths": [{"name": "vip", "label": "VIPs"}, {"name": "rest"}]}
    assert ask(chief, "branch_paths", paths)["ports"] == [
        ["vip", "VIPs"],
        ["rest", "rest"],
        ["else", "All others"],
    ]
    timed = {"event": "order_placed", "match": "any", "timeout": {"amount": 1, "unit": "days"}}
    assert [name for name, _label in ask(chief, "wait_for", timed)["ports"]] == ["next", "timeout"]


@pytest.mark.parametrize("kind", list(steps.all()))
def test_every_kind_has_a_form_for_a_new_step(kind: str, chief: Client) -> None:
    new = next(one for one in kinds_for_canvas() if one["kind"] == kind)
    drawn = ask(chief, kind, new["settings"])
    again = ask(chief, kind, new["settings"], fields_in(drawn["html"]))
    assert again["settings"] == new["settings"]


def test_form_offers_what_the_site_has(chief: Client) -> None:
    key = template("Thank you")
    html = ask(chief, "send", {"template": "gone"})["html"]
    assert re.search(rf'<option value="{key}">\s*Thank you', html)
    assert re.search(r'<option value="gone" selected>\s*gone', html)
    branch = unescape(ask(chief, "branch", {})["html"])
    assert '"total.amount"' in branch  # a field of the event that starts the journey
    assert '"orders_count"' in branch


def test_own_form_of_a_kind_is_taken_with_its_scripts(
    strange: type[StrangeStep], chief: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StrangeStep, "form_class", f"{__name__}.OwnForm")
    assert "My own headline" in ask(chief, "acme_card", FULL)["html"]
    answer = ask(chief, "acme_card", FULL, {"title": "New"})
    assert answer["settings"] == {"title": "New", "address": {"street": "Own"}}
    refused = ask(chief, "acme_card", FULL, {"title": "spam"})
    assert refused["settings"] == FULL
    assert refused["errors"]["title"] == [["error", "Not that word."]]
    assert "acme/card.js" in chief.get(reverse("triggers_journeys:add")).content.decode()


def test_markup_in_settings_is_text_in_the_form(chief: Client) -> None:
    evil = '"><script>alert(1)</script>'
    condition = {"fact": evil, "op": "eq", "value": evil}
    for kind, settings in (
        ("exit", {"reason": evil}),
        ("branch", {"condition": condition}),
        ("emit", {"event": evil, "payload": {evil: evil}}),
    ):
        assert "<script" not in ask(chief, kind, settings)["html"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"canvas-graph": "{", "canvas-node": "n"}, 400),
        ({"canvas-graph": "[" * 100_000, "canvas-node": "n"}, 400),
        ({"canvas-graph": json.dumps(graph_with("send", {})), "canvas-node": "other"}, 404),
        ({"canvas-graph": json.dumps(graph_with("acme_gone", {})), "canvas-node": "n"}, 404),
        ({}, 404),
    ],
)
def test_form_for_what_is_no_step_is_refused(
    data: dict[str, str], status: int, chief: Client
) -> None:
    assert chief.post(reverse(STEP), data).status_code == status


@pytest.mark.parametrize("view", [CANVAS, STEP])
def test_views_of_the_canvas_are_for_those_who_write_journeys(
    view: str, client_with: ClientWith
) -> None:
    reader, writer = client_with("view_journey", "view_template"), client_with("change_journey")
    data = {"canvas-graph": json.dumps(graph_with("wait", {})), "canvas-node": "n"}
    response = reader.post(reverse(view), data)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert writer.post(reverse(view), data).status_code == 200
    assert writer.get(reverse(view)).status_code == 405
    assert Client().post(reverse(view), data).status_code == 302


def test_reading_says_what_each_step_does_and_what_is_wrong(chief: Client) -> None:
    graph = graph_with("wait", {"amount": 1, "unit": "days"})
    answer = chief.post(reverse(CANVAS), {"canvas-graph": json.dumps(graph)}).json()
    assert answer["nodes"]["n"] == {"sentence": "Wait 1 day", "ports": [["next", "Next"]]}
    assert answer["nodes"]["start"]["sentence"].startswith("When “Cart abandoned” happens")
    assert {
        "node": "n",
        "field": "",
        "message": "No way leads here from an entry. Join it to one, or remove it.",
        "severity": "error",
    } in answer["problems"]


@pytest.mark.parametrize("text", ["{", "[1]", '{"nodes": 7}', "x" * 600_000])
def test_reading_of_nonsense_names_a_problem(text: str, chief: Client) -> None:
    answer = chief.post(reverse(CANVAS), {"canvas-graph": text}).json()
    assert answer["nodes"] == {}
    assert answer["problems"]


def test_numbers_of_each_step_are_those_of_its_runs(history: History, clock: FrozenClock) -> None:
    with CaptureQueriesContext(connection) as queries:
        numbers = node_numbers(history.journey.pk, clock.read())
    assert len(queries) == 8
    assert numbers["n1"] == {"entered": 1, "sent": 1}
    assert numbers["n2"] == {"entered": 1, "converted": 1}
    parked = node_numbers(history.parked.journey_id, clock.read())
    assert sum(one.get("errors", 0) for one in parked.values()) == 1


def test_numbers_are_for_those_who_may_read_journeys(
    history: History, client_with: ClientWith
) -> None:
    url = reverse("triggers_journeys:numbers", args=[history.journey.pk])
    answer = client_with("view_journey").get(url)
    assert answer.json()["numbers"]["n1"]["sent"] == 1
    assert client_with("view_template").get(url).status_code == 302
    assert (
        client_with("view_journey").get(url.replace(str(history.journey.pk), "0")).status_code
        == 404
    )


def test_page_to_read_shows_the_canvas_with_numbers_and_the_outline_without_scripts(
    history: History, client_with: ClientWith
) -> None:
    url = reverse("triggers_journeys:inspect", args=[history.journey.pk])
    html = unescape(client_with("view_journey").get(url).content.decode())
    assert '"readOnly": true' in html
    assert '"entered": 1' in html
    assert "When “Cart abandoned” happens" in html
    assert "wagtail_triggers/canvas/canvas.js" in html


def test_editor_without_scripts_has_the_text_and_its_outline(chief: Client) -> None:
    html = unescape(chief.get(reverse("triggers_journeys:add")).content.decode())
    assert '<textarea name="graph"' in html
    assert "Nothing stands in the way of publishing." in html
    assert 'data-controller="triggers-canvas"' in html


def test_words_of_the_canvas_are_all_there_and_all_used() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.ts*"))
    said = set(re.findall(r"\bt\(\s*'(\w+)'", text))
    said |= {one for pair in re.findall(r"\? '(\w+)' : '(\w+)'", text) for one in pair}
    said |= set(re.findall(r"'(group_\w+)'", text))
    said |= {"entered", "waiting", "sent", "converted", "left"}
    said |= {"canvas", "outline", "text"}
    said |= {key for key in WORDS if key.startswith(("condition_", "was_", "mark_"))}
    known = set(WORDS)
    assert set(re.findall(r"\bt\(\s*'(\w+)'", text)) - known == set()
    assert known - said == set()
