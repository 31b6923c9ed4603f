"""Update: facts, tags, score."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.contacts import known_facts
from wagtail_triggers.journeys.steps.decisions import Act, ChangeContact, Park
from wagtail_triggers.journeys.steps.update import (
    MISSING,
    UNKNOWN,
    WRONG_KIND,
    UpdateSettings,
    UpdateStep,
)

from ..world import BERLIN, NOON, World, event, run

KINDS = {"tea": "text", "cups": "number", "seen": "datetime", "since": "date", "loyal": "yes_no"}


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_facts, "_declared", dict(KINDS))


def step(**settings: Any) -> UpdateStep:
    return UpdateStep(UpdateSettings.model_validate(settings))


def facts(wanted: dict[str, Any], **payload: Any) -> Any:
    found = step(facts=wanted).decide(run(event=event(payload=payload), zone=BERLIN))
    if isinstance(found, Park):
        return found.reason
    assert isinstance(found, Act)
    (change,) = found.effects
    assert isinstance(change, ChangeContact)
    return dict(change.facts)


def test_update_changes_facts_tags_and_score_in_one_step() -> None:
    found = step(facts={"tea": "sencha"}, add_tags=[" vip "], remove_tags=["new"], score=-5).decide(
        run()
    )
    assert found == Act((ChangeContact({"tea": "sencha"}, ("vip",), ("new",), -5),))


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({"tea": "sencha"}, {"tea": "sencha"}),
        ({"cups": 3}, {"cups": 3}),
        ({"cups": "2.50"}, {"cups": "2.50"}),
        ({"loyal": True}, {"loyal": True}),
        ({"loyal": "false"}, {"loyal": False}),
        ({"since": "2026-05-01"}, {"since": "2026-05-01"}),
        ({"since": "2026-05-01T23:30:00+00:00"}, {"since": "2026-05-02"}),
        ({"seen": "2026-05-01T10:00:00"}, {"seen": "2026-05-01T10:00:00+02:00"}),
        ({"tea": None}, {"tea": None}),
        ({"seen": {"now": True}}, {"seen": NOON.isoformat()}),
        ({"since": {"now": True}}, {"since": "2026-05-01"}),
        ({"since": {"today": True}}, {"since": "2026-05-01"}),
        ({"tea": {"event": "kind"}}, {"tea": "oolong"}),
        ({"cups": {"event": "total.amount"}}, {"cups": "12.50"}),
        ({"tea": {"event": "nothing", "else": "black"}}, {"tea": "black"}),
        ({"tea": {"event": "nothing", "else": None}}, {"tea": None}),
    ],
)
def test_update_keeps_a_value_of_the_kind_of_its_fact(
    wanted: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert facts(wanted, kind="oolong", total={"amount": "12.50"}) == kept


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"tea": {"event": "nothing"}}, MISSING),
        ({"tea": {"event": "empty"}}, MISSING),
        ({"cups": {"event": "kind"}}, WRONG_KIND),
        ({"since": {"event": "kind"}}, WRONG_KIND),
        ({"tea": {"event": "total"}}, WRONG_KIND),
        ({"tea": {"event": "names"}}, WRONG_KIND),
        ({"seen": "2026-05-01"}, WRONG_KIND),
        ({"gone": 1}, UNKNOWN),
        ({"email": "a@example.com"}, UNKNOWN),
    ],
)
def test_update_that_cannot_do_its_work_parks_the_run(wanted: dict[str, Any], reason: str) -> None:
    payload = {"kind": "oolong", "empty": "", "total": {"amount": "1"}, "names": ["a", "b"]}
    assert facts(wanted, **payload) == reason


def test_update_today_is_the_day_where_the_person_lives() -> None:
    late = datetime(2026, 5, 1, 22, 30, tzinfo=UTC)
    found = step(facts={"since": {"today": True}}).decide(run(moment=late, zone=BERLIN))
    assert found == Act((ChangeContact({"since": "2026-05-02"}),))


def test_update_names_what_it_cannot_set() -> None:
    class Teas(World):
        def facts(self) -> dict[str, str]:
            return known_facts.known_facts()

    def fields(**wanted: Any) -> list[str]:
        found = step(facts=wanted).problems(Teas(), frozenset({"cart_abandoned"}))
        return [one.field for one in found]

    assert fields(tea="sencha", cups=3, loyal=False, since="2026-05-01", seen={"now": True}) == []
    assert fields(email="a@example.com") == ["facts.email"]
    assert fields(te="sencha") == ["facts.te"]
    assert fields(cups="many", tea=3, loyal=2, seen="soon") == [
        "facts.cups", "facts.tea", "facts.loyal", "facts.seen",
    ]  # fmt: skip
    assert fields(tea={"now": True}) == ["facts.tea"]
    assert fields(tea={"event": "nothing"}) == ["facts.tea.event"]
    assert fields(tea={"event": "cart_id", "else": 3}) == ["facts.tea"]


def test_update_in_words_says_what_changes() -> None:
    told = step(
        facts={"tea": "sencha", "cups": None, "seen": {"now": True}, "since": {"event": "day"}},
        add_tags=["vip"], remove_tags=["new"], score=5,
    ).describe(World())  # fmt: skip
    assert told == (
        "Change the person: tea is “sencha”; forget cups; seen is now; since is the event's day; "
        "add the tag “vip”; remove the tag “new”; score +5"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"score": 0},
        {"score": 1.5},
        {"add_tags": [""]},
        {"add_tags": ["a"], "remove_tags": ["a"]},
        {"facts": {"tea": ["a"]}},
        {"facts": {"tea": {"text": "a"}}},
        {"facts": {"tea": {"event": ""}}},
        {"facts": {"tea": {"now": False}}},
        {"tags": ["a"]},
    ],
)
def test_update_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UpdateSettings.model_validate(settings)
