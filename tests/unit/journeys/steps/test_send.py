"""Send: one message, planned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.decisions import Send
from wagtail_triggers.journeys.steps.send import SendSettings, SendStep

from ..world import World, run


def send(**settings: Any) -> SendStep:
    return SendStep(SendSettings.model_validate({"template": "welcome-key", **settings}))


def test_send_decides_to_send_by_email_and_go_on() -> None:
    assert send().decide(run()) == Send("welcome-key", "email", "next", None)


def test_send_with_an_end_passes_it_on_as_a_span() -> None:
    step = send(expires_after={"amount": 36, "unit": "hours"})
    assert step.decide(run()) == Send("welcome-key", expires_after=timedelta(hours=36))


def test_send_in_words_names_the_template() -> None:
    assert send().describe(World()) == "Send “Welcome”"
    assert send(expires_after={"amount": 2, "unit": "days"}).describe(World()) == (
        "Send “Welcome”, within 2 days or not at all"
    )
    assert send(template="gone").describe(World()) == "Send “gone”"


def test_send_of_an_unknown_template_is_a_problem() -> None:
    (problem,) = send(template="gone").problems(World(), frozenset())
    assert problem.field == "template"
    assert problem.message == (
        "There is no published template “gone”. Publish it, or choose another one."
    )


def test_send_over_an_unknown_channel_is_a_problem() -> None:
    (problem,) = send(channel="emial").problems(World(), frozenset())
    assert problem.field == "channel"
    assert problem.message == "There is no channel “emial”. Did you mean “email”?"


def test_send_over_a_channel_that_the_template_is_silent_on_is_a_problem() -> None:
    (problem,) = send(channel="sms").problems(World(), frozenset())
    assert problem.field == "channel"
    assert problem.message == (
        "The template “Welcome” has no text for the channel “sms” (de). Write it and publish the "
        "template, or choose another channel."
    )


def test_send_that_fits_has_no_problem() -> None:
    assert list(send().problems(World(), frozenset())) == []


@pytest.mark.parametrize(
    "settings",
    [{"template": ""}, {"template": 7}, {"expires_after": "1 day"}, {"subject": "Hello"}],
)
def test_send_settings_out_of_form_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        send(**settings)
