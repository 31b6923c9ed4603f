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

    client.post(url_of("resume", history), {"clocks": "run"})
    run.refresh_from_db()
    assert (state_of(history), run.wake_at, run.held_wake_at) == (RUNNING, due, None)
    logged = ModelLogEntry.objects.filter(action__startswith="wagtail_triggers.").order_by("pk")
    assert [entry.action for entry in logged] == [
        "wagtail_triggers.pause",
        "wagtail_triggers.resume",
    ]
    assert {entry.user is not None for entry in logged} == {True}


@pytest.mark.parametrize("view", ["pause", "resume", "archive", "take_up", "underway"])
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


def test_resumption_by_clocks_that_stood_still_leaves_the_rest_of_the_wait(
    history: History, client_with: ClientWith, clock: FrozenClock
) -> None:
    with captured_messages():
        cart("13", line("Wool blanket"), who=ADA)
        clock.travel(timedelta(hours=2))
        run_until_idle()
    run = Enrolment.objects.get(journey=history.journey, state=Enrolment.State.ACTIVE)
    due = run.wake_at
    assert due is not None
    client = client_with("view_journey", "publish_journey")
    client.post(url_of("pause", history))
    clock.travel(timedelta(hours=30))
    assert "This field is required" in client.post(url_of("resume", history)).text
    assert state_of(history) == PAUSED
    client.post(url_of("resume", history), {"clocks": "stand"})
    run.refresh_from_db()
    assert run.wake_at == due + timedelta(hours=30)


def test_resumption_is_refused_with_the_fix_while_the_site_is_off(
    history: History, chief: Client
) -> None:
    from wagtail_triggers.messages.models import TriggersSettings

    chief.post(url_of("pause", history))
    TriggersSettings.objects.update_or_create(
        site=history.journey.site, defaults={"sending_on": False}
    )
    response = chief.post(url_of("resume", history), {"clocks": "run"})
    assert "Switch it on under Settings first." in response.text
    assert state_of(history) == PAUSED


@pytest.mark.parametrize(("answer", "state"), [("finish", "active"), ("leave", "exited")])
def test_archiving_lets_people_finish_or_leave_as_was_chosen_and_can_be_taken_back(
    history: History, chief: Client, clock: FrozenClock, answer: str, state: str
) -> None:
    with captured_messages():
        cart("13", line("Wool blanket"), who=ADA)
        clock.travel(timedelta(hours=2))
        run_until_idle()
    run = Enrolment.objects.get(journey=history.journey, state=Enrolment.State.ACTIVE)
    assert "One person is under way." in chief.get(url_of("archive", history)).text
    chief.post(url_of("archive", history), {"people": answer})
    run.refresh_from_db()
    assert (state_of(history), run.state) == ("archived", state)
    chief.post(url_of("take_up", history))
    assert state_of(history) == RUNNING


def test_journey_that_paused_itself_says_why_on_the_start_page_in_the_log_and_by_mail(
    history: History, client_with: ClientWith, clock: FrozenClock, mailoutbox: list[object],
    settings: object,
) -> None:  # fmt: skip
    from wagtail_triggers.engine.breaker import watch
    from wagtail_triggers.engine.models import Pulse

    settings.WAGTAIL_TRIGGERS_ALERT_EMAILS = ["shop@example.com"]  # type: ignore[attr-defined]
    reader, stranger = client_with("view_journey"), client_with("view_contact")
    assert "has paused itself" not in reader.get("/admin/").text
    Pulse.objects.create(journey=history.journey, at=clock.read(), runs=30, errors=30)
    watch()
    page = reader.get("/admin/").text
    assert "“Abandoned cart” has paused itself." in page
    assert "More than 20 errors within an hour." in page
    assert "has paused itself" not in stranger.get("/admin/").text
    assert "More than 20 errors within an hour." in reader.get(url_of("inspect", history)).text
    entry = ModelLogEntry.objects.get(action="wagtail_triggers.stopped")
    assert entry.data == {"reason": "More than 20 errors within an hour."}
    (mail,) = mailoutbox
    assert mail.to == ["shop@example.com"]  # type: ignore[attr-defined]
    assert "More than 20 errors within an hour." in mail.body  # type: ignore[attr-defined]


def test_mail_server_that_is_down_keeps_no_journey_running(
    history: History, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    from wagtail_triggers.admin import alerts
    from wagtail_triggers.engine.breaker import watch
    from wagtail_triggers.engine.models import Pulse

    def send_mail(*_args: object, **_more: object) -> None:
        raise OSError("no route")

    settings.WAGTAIL_TRIGGERS_ALERT_EMAILS = ["shop@example.com"]  # type: ignore[attr-defined]
    monkeypatch.setattr(alerts, "send_mail", send_mail)
    Pulse.objects.create(journey=history.journey, at=clock.read(), runs=30, errors=30)
    assert watch() == [history.journey]
    assert state_of(history) == PAUSED
