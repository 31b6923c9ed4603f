"""Decisions about many rows at once ask for permission, and stand in the history."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.admin.conftest import ClientWith, History
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message, TriggersSettings


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: object) -> None:
    """No worker: hints go nowhere."""
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"  # type: ignore[attr-defined]


def url_of(action: str, *rows: Journey | Enrolment, more: str = "") -> str:
    model = type(rows[0])._meta.model_name if rows else "enrolment"
    base = reverse("wagtail_bulk_action", args=["wagtail_triggers", model, action])
    return f"{base}?next=/admin/&" + "&".join(f"id={row.pk}" for row in rows) + more


def states() -> list[str]:
    return list(Journey.objects.order_by("pk").values_list("state", flat=True))


def test_bulk_pause_resume_and_archive_change_what_fits_and_are_logged(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_journey", "publish_journey")
    both = list(Journey.objects.order_by("pk"))
    page = client.get(url_of("pause", *both)).text
    assert "Abandoned cart" in page
    assert "Welcome" in page
    assert states() == ["running", "running"]
    assert client.post(url_of("pause", *both))["Location"] == "/admin/"
    assert states() == ["paused", "paused"]
    again = client.get(url_of("pause", *both)).text
    assert "To these it does not apply" in again
    client.post(url_of("resume", both[0]), {"clocks": "stand"})
    assert states() == ["running", "paused"]
    client.post(url_of("archive", *both), {"people": "finish"})
    assert states() == ["archived", "archived"]
    found = ModelLogEntry.objects.filter(action__startswith="wagtail_triggers.").order_by("pk")
    assert [entry.action.rpartition(".")[2] for entry in found] == [
        "pause", "pause", "resume", "archive", "archive",
    ]  # fmt: skip


def test_bulk_resume_without_an_answer_asks_again_and_changes_nothing(
    history: History, chief: Client
) -> None:
    chief.post(url_of("pause", history.journey))
    answer = chief.post(url_of("resume", history.journey), {"clocks": "odd"})
    assert answer.status_code == 200
    assert states()[0] == "paused"


@pytest.mark.parametrize("codenames", [(), ("view_journey",), ("view_journey", "change_journey")])
@pytest.mark.parametrize("action", ["pause", "archive"])
def test_bulk_decision_about_journeys_without_the_right_to_publish_changes_nothing(
    action: str, codenames: tuple[str, ...], history: History, client_with: ClientWith
) -> None:
    client = client_with(*codenames)
    for url in (url_of(action, history.journey), url_of(action, history.journey, more="&id=all")):
        assert client.post(url, {"people": "leave"}).status_code == 302
    assert states() == ["running", "running"]
    assert not ModelLogEntry.objects.filter(action__startswith="wagtail_triggers.").exists()


def test_bulk_retry_of_all_takes_what_is_parked_and_nothing_else(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_enrolment", "publish_journey")
    client.post(url_of("retry", history.run, more="&id=all"))
    history.parked.refresh_from_db()
    assert history.parked.state == Enrolment.State.ACTIVE
    (entry,) = ModelLogEntry.objects.filter(action="wagtail_triggers.retry")
    assert entry.object_id == str(history.parked.pk)


def test_bulk_taking_out_ends_runs_and_cancels_what_was_planned(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_enrolment", "publish_journey")
    ended = Enrolment.objects.filter(pk=history.run.pk).values().get()
    client.post(url_of("take_out", history.parked, history.run))
    history.parked.refresh_from_db()
    assert (history.parked.state, history.parked.reason) == ("exited", "taken_out")
    assert (history.parked.active_slot, history.parked.wake_at) == (None, None)
    assert history.parked.ended_at is not None
    assert Enrolment.objects.filter(pk=history.run.pk).values().get() == ended
    assert ModelLogEntry.objects.filter(action="wagtail_triggers.take_out").count() == 1
    assert Message.objects.get(pk=history.message.pk).state == Message.State.ACCEPTED


@pytest.mark.parametrize("codenames", [(), ("view_enrolment",), ("publish_journey",)])
def test_bulk_decision_about_runs_without_both_rights_changes_nothing(
    codenames: tuple[str, ...], history: History, client_with: ClientWith
) -> None:
    client = client_with(*codenames)
    for action in ("retry", "take_out"):
        assert client.post(url_of(action, history.parked))["Location"] == "/admin/"
    history.parked.refresh_from_db()
    assert history.parked.state == Enrolment.State.PARKED


def test_listing_of_runs_offers_boxes_to_those_who_may_decide_and_filters_by_reason(
    history: History, client_with: ClientWith
) -> None:
    may = client_with("view_enrolment", "publish_journey", "view_journey")
    may_not = client_with("view_enrolment")
    listing = reverse("triggers_enrolments:index")
    assert "data-bulk-action-checkbox" in may.get(listing).text
    assert "data-bulk-action-checkbox" not in may_not.get(listing).text
    by_reason = may.get(listing, {"reason": history.parked.reason, "state": "parked"}).text
    assert "/retry/?reason=" in by_reason
    retry = reverse("triggers_enrolments:retry_all")
    other = may.get(retry, {"reason": "Something else."}).text
    assert "No run is parked." in other
    assert "One run goes on" in may.get(retry, {"reason": history.parked.reason}).text


def test_switching_a_site_off_and_on_again_is_logged(history: History, chief: Client) -> None:
    from django.contrib.auth.models import User
    from django.test import RequestFactory

    from wagtail_triggers.admin.site_switch import note_switch, remember_switch

    rules = TriggersSettings.for_site(history.journey.site)
    for on in (False, False, True):
        request = RequestFactory().post("/")
        request.user = User.objects.get(username="chief")
        remember_switch(request, rules)
        rules.sending_on = on
        rules.save()
        note_switch(request, rules)
    actions = ModelLogEntry.objects.order_by("pk").values_list("action", flat=True)
    ours = [one for one in actions if "switch" in one]
    assert ours == ["wagtail_triggers.switch_off", "wagtail_triggers.switch_on"]
