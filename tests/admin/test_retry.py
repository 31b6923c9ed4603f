"""Parked runs: a person with the right to publish says "try again"."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.admin.conftest import ClientWith, History
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.messages.models import Message, Template
from wagtail_triggers.testing import run_until_idle

RETRY_ALL = "triggers_enrolments:retry_all"
PARKED, ACTIVE = Enrolment.State.PARKED, Enrolment.State.ACTIVE


def retry_url(run: Enrolment) -> str:
    return reverse("triggers_enrolments:retry", args=[run.pk])


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: object) -> None:
    """No worker: hints go nowhere."""
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"  # type: ignore[attr-defined]


def test_retry_of_a_parked_run_lets_it_go_on_and_is_logged(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_enrolment", "publish_journey")
    response = client.post(retry_url(history.parked))
    assert response["Location"] == reverse("triggers_enrolments:inspect", args=[history.parked.pk])
    history.parked.refresh_from_db()
    assert (history.parked.state, history.parked.reason, history.parked.tries) == (ACTIVE, "", 0)
    assert history.parked.wake_at is not None
    entry = ModelLogEntry.objects.get(action="wagtail_triggers.retry")
    assert entry.object_id == str(history.parked.pk)
    assert entry.user is not None
    assert entry.data["reason"].startswith("The template of this step is not published.")


def test_retry_after_the_trouble_is_gone_sends_the_message(history: History, chief: Client) -> None:
    Template.objects.get(name="Welcome").save_revision().publish()
    chief.post(retry_url(history.parked))
    run_until_idle()
    history.parked.refresh_from_db()
    assert history.parked.state == Enrolment.State.COMPLETED
    assert Message.objects.filter(enrolment=history.parked).count() == 1


@pytest.mark.parametrize(
    "codenames",
    [(), ("view_enrolment",), ("view_enrolment", "change_journey"), ("publish_journey",)],
    ids=["nothing", "look", "change", "publish unseen"],
)
def test_retry_without_the_right_to_publish_and_to_look_changes_nothing(
    codenames: tuple[str, ...], history: History, client_with: ClientWith
) -> None:
    client = client_with(*codenames)
    for url in (retry_url(history.parked), reverse(RETRY_ALL)):
        assert client.post(url)["Location"] == "/admin/"
        assert client.get(url)["Location"] == "/admin/"
    history.parked.refresh_from_db()
    assert history.parked.state == PARKED
    assert not ModelLogEntry.objects.filter(action="wagtail_triggers.retry").exists()


def test_retry_by_get_asks_and_changes_nothing(history: History, chief: Client) -> None:
    html = chief.get(retry_url(history.parked)).content.decode()
    assert "One run goes on at the step at which it was parked." in html
    assert "The template of this step is not published." in html
    history.parked.refresh_from_db()
    assert history.parked.state == PARKED


def test_retry_without_csrf_token_is_refused(history: History, chief: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = chief.cookies
    assert strict.post(retry_url(history.parked)).status_code == 403
    history.parked.refresh_from_db()
    assert history.parked.state == PARKED


def test_retry_of_all_takes_parked_runs_and_no_others(history: History, chief: Client) -> None:
    before = Enrolment.objects.filter(pk=history.run.pk).values().get()
    chief.post(reverse(RETRY_ALL))
    history.parked.refresh_from_db()
    assert history.parked.state == ACTIVE
    assert Enrolment.objects.filter(pk=history.run.pk).values().get() == before
    assert ModelLogEntry.objects.filter(action="wagtail_triggers.retry").count() == 1


def test_retry_of_a_run_that_is_not_parked_changes_nothing(history: History, chief: Client) -> None:
    before = Enrolment.objects.filter(pk=history.run.pk).values().get()
    response = chief.post(retry_url(history.run), follow=True)
    assert "No run is parked any more." in response.content.decode()
    assert Enrolment.objects.filter(pk=history.run.pk).values().get() == before
    assert not ModelLogEntry.objects.filter(action="wagtail_triggers.retry").exists()


def test_retry_button_is_shown_on_parked_runs_to_those_who_may(
    history: History, client_with: ClientWith
) -> None:
    may = client_with("view_enrolment", "publish_journey")
    may_not = client_with("view_enrolment", "change_journey")

    def page(client: Client, run: Enrolment) -> str:
        url = reverse("triggers_enrolments:inspect", args=[run.pk])
        return client.get(url).content.decode()

    assert retry_url(history.parked) in page(may, history.parked)
    assert retry_url(history.run) not in page(may, history.run)
    assert retry_url(history.parked) not in page(may_not, history.parked)
    listing = reverse("triggers_enrolments:index")
    assert reverse(RETRY_ALL) in may.get(listing).content.decode()
    assert reverse(RETRY_ALL) not in may_not.get(listing).content.decode()


def test_retry_of_a_run_that_does_not_exist_is_not_found(chief: Client) -> None:
    assert chief.post(reverse("triggers_enrolments:retry", args=[999_999])).status_code == 404
