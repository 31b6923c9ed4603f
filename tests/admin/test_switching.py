"""Pausing a journey and letting it go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.admin.conftest import ClientWith, History
from tests.shop import ADA, cart, line
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.testing import captured_messages, run_until_idle

RUNNING, PAUSED = Journey.State.RUNNING, Journey.State.PAUSED


def url_of(view: str, history: History) -> str:
    return reverse(f"triggers_journeys:{view}", args=[history.journey.pk])


def state_of(history: History) -> str:
    return str(Journey.objects.get(pk=history.journey.pk).state)


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: object) -> None:
    """No worker: hints go nowhere."""
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"  # type: ignore[attr-defined]


def test_pause_holds_the_journey_and_its_runs_and_resume_lets_them_go(
    history: History, client_with: ClientWith, clock: FrozenClock
) -> None:
    with captured_messages():
        cart("13", line("Wool blanket"), who=ADA)
        clock.travel(timedelta(hours=2))
        run_until_idle()
    run = Enrolment.objects.get(journey=history.journey, state=Enrolment.State.ACTIVE)
    due = run.wake_at
    client = client_with("view_journey", "publish_journey")

    client.post(url_of("pause", history))
    run.refresh_from_db()
    assert (state_of(history), run.wake_at, run.held_wake_at) == (PAUSED, None, due)

    client.post(url_of("resume", history))
    run.refresh_from_db()
    assert (state_of(history), run.wake_at, run.held_wake_at) == (RUNNING, due, None)
    logged = ModelLogEntry.objects.filter(action__startswith="wagtail_triggers.").order_by("pk")
    assert [entry.action for entry in logged] == [
        "wagtail_triggers.pause",
        "wagtail_triggers.resume",
    ]
    assert {entry.user is not None for entry in logged} == {True}


@pytest.mark.parametrize("view", ["pause", "resume"])
def test_switching_without_the_right_to_publish_changes_nothing(
    view: str, history: History, client_with: ClientWith
) -> None:
    client = client_with("view_journey", "change_journey", "add_journey", "delete_journey")
    assert client.post(url_of(view, history))["Location"] == "/admin/"
    assert client.get(url_of(view, history))["Location"] == "/admin/"
    assert state_of(history) == RUNNING
    assert not ModelLogEntry.objects.filter(action__startswith="wagtail_triggers.").exists()


def test_switching_by_get_asks_and_changes_nothing(history: History, chief: Client) -> None:
    assert "Nobody enters the journey any more" in chief.get(url_of("pause", history)).text
    assert "There is nothing to do." in chief.get(url_of("resume", history)).text
    assert state_of(history) == RUNNING


def test_resume_of_a_running_journey_changes_nothing(history: History, chief: Client) -> None:
    response = chief.post(url_of("resume", history), follow=True)
    assert "Somebody was faster." in response.text
    assert not ModelLogEntry.objects.filter(action="wagtail_triggers.resume").exists()


def test_switch_is_offered_to_those_who_may_in_the_state_that_it_fits(
    history: History, client_with: ClientWith
) -> None:
    may, may_not = client_with("publish_journey", "view_journey"), client_with("view_journey")
    for page in (url_of("inspect", history), reverse("triggers_journeys:list")):
        assert url_of("pause", history) in may.get(page).text
        assert url_of("resume", history) not in may.get(page).text
        assert url_of("pause", history) not in may_not.get(page).text
    Journey.objects.filter(pk=history.journey.pk).update(state=PAUSED)
    assert url_of("resume", history) in may.get(url_of("inspect", history)).text
