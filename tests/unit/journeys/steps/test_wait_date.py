"""Wait until a date in the data; golden moments stand in `golden_waits`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.base import ANY_EVENT
from wagtail_triggers.journeys.steps.decisions import Advance, Park, WaitUntil
from wagtail_triggers.journeys.steps.wait_date import TOO_FAR, WaitDateSettings, WaitDateStep

from ..world import BERLIN, NOON, World, event, run


def step(**settings: Any) -> WaitDateStep:
    return WaitDateStep(WaitDateSettings.model_validate(settings or {"fact": "birthday"}))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_wait_date_is_read_anew_when_the_run_is_woken() -> None:
    waiting = run(contact={"birthday": date(2026, 5, 20)})
    assert step().decide(waiting) == WaitUntil(local("2026-05-20T09:00"))
    moved = replace(waiting, contact={"birthday": date(2026, 5, 10)}, waiting=True)
    assert step().decide(moved) == WaitUntil(local("2026-05-10T09:00"))
    gone = replace(waiting, contact={"birthday": None}, waiting=True)
    assert step().decide(gone) == Advance("missing")
    assert step().wakes_on() == {ANY_EVENT}


def test_wait_date_that_came_while_nobody_asked_is_no_past_date() -> None:
    late = run(contact={"birthday": "2026-05-20"}, moment=datetime(2026, 6, 1, tzinfo=UTC))
    assert step().decide(late) == Advance("next")


def test_wait_date_in_the_events_data_takes_the_first_that_is_one() -> None:
    found = step(event="lines.due")
    lines = {"lines": [{"due": "soon"}, {"due": "2026-05-20"}, {"due": "2026-05-10"}]}
    one = run(event=event(payload=lines))
    assert found.decide(one) == WaitUntil(local("2026-05-20T09:00"))
    assert found.decide(run(event=event(payload={}))) == Advance("missing")
    assert found.wakes_on() == {"user_updated", "contact_changed"}


def test_wait_date_thousands_of_years_ahead_parks_the_run() -> None:
    assert step().decide(run(contact={"birthday": "9950-01-01"})) == Park(TOO_FAR)


@pytest.mark.parametrize("yearly", [True, False])
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("feb29", ["feb28", "mar1"])
def test_wait_date_of_any_offset_comes_after_arrival_or_says_that_it_is_past(
    yearly: bool, side: str, feb29: str
) -> None:
    for text in ("1904-02-29", "2026-05-01", "2026-12-31", "2031-07-07"):
        for amount in (1, 300, 3650):
            wait = step(
                fact="birthday", yearly=yearly, side=side, feb29=feb29,
                offset={"amount": amount, "unit": "days"},
            )  # fmt: skip
            found = wait.decide(run(contact={"birthday": text}))
            if isinstance(found, WaitUntil):
                assert found.at > NOON
            else:
                assert (yearly, found) == (False, Advance("past"))


def test_wait_date_every_year_comes_exactly_once_in_each_of_twelve() -> None:
    wait = step(fact="birthday", yearly=True)
    moment, found = NOON, []
    for _year in range(12):
        decision = wait.decide(
            run(contact={"birthday": "2000-02-29"}, arrived_at=moment, moment=moment)
        )
        assert isinstance(decision, WaitUntil)
        moment = decision.at
        found.append(moment.astimezone(BERLIN).date().isoformat())
    assert found == [f"{year}-02-{29 if year % 4 == 0 else 28}" for year in range(2027, 2039)]


def test_wait_date_has_a_port_for_each_end() -> None:
    assert [port.name for port in step().ports()] == ["next", "missing", "past"]
    assert [port.name for port in step(fact="birthday", yearly=True).ports()] == ["next", "missing"]
    assert WaitDateStep.takes_time is False


def test_wait_date_in_words_says_which() -> None:
    assert step().describe(World()) == "Wait until birthday, at 9 a.m."
    early = step(
        fact="birthday", yearly=True, side="before", offset={"amount": 3, "unit": "days"}, at=None
    )
    assert (
        early.describe(World()) == "Wait until 3 days before birthday, whenever it next comes round"
    )


def test_wait_date_names_what_is_no_date_and_what_is_not_there() -> None:
    def fields(**settings: Any) -> list[tuple[str, str]]:
        found = step(**settings).problems(World(), frozenset({"cart_abandoned"}))
        return [(one.field, one.severity) for one in found]

    assert fields(fact="birthday") == []
    assert fields(fact="language") == [("fact", "error")]
    assert fields(fact="birthdy") == [("fact", "error")]
    assert fields(event="cart_id") == []
    assert fields(event="nothing") == [("event", "error")]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"fact": "birthday", "event": "due"},
        {"fact": "birthday", "at": "9"},
        {"fact": "birthday", "feb29": "never"},
        {"fact": "birthday", "offset": {"amount": -1, "unit": "days"}},
    ],
)
def test_wait_date_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WaitDateSettings.model_validate(settings)
