"""Tasks: somebody of the staff decides, once, and the run goes on as they said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.admin.conftest import ClientWith
from tests.integration.asking import COUPON, TASK, forked
from tests.shop import ADA, line, order
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import lifecycle
from wagtail_triggers.engine.models import Enrolment, Job, StepRun
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.testing import run_until_idle

DAY = timedelta(days=1)
LISTING = "triggers_tasks:index"
EVIL = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: object) -> None:
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"  # type: ignore[attr-defined]


@pytest.fixture
def task(clock: FrozenClock) -> Job:
    """Ada's order waits for somebody."""
    forked(TASK, {"approve": [], "decline": [], "timeout": []}, name="Checks")
    order("77", line(), who=ADA)
    run_until_idle()
    return Job.objects.get()


def decide(client: Client, task: Job, choice: str = "approve", note: str = "") -> str:
    """Click on a button; the page that follows."""
    url = reverse("triggers_tasks:decide", args=[task.pk])
    return client.post(url, {"choice": choice, "note": note}, follow=True).content.decode()


def page(client: Client, task: Job) -> str:
    return client.get(reverse("triggers_tasks:inspect", args=[task.pk])).content.decode()


def port() -> str:
    return StepRun.objects.get(node="ask", decision="advance").port


def test_open_task_is_listed_with_who_where_since_and_until(chief: Client, task: Job) -> None:
    html = chief.get(reverse(LISTING)).content.decode()
    assert reverse("triggers_tasks:inspect", args=[task.pk]) in html
    for words in ("Check the order", "Ada Lovelace", "Checks", "05/03/2026 noon"):
        assert words in html, words


def test_listing_shows_open_tasks_unless_others_are_asked_for(chief: Client, task: Job) -> None:
    url = reverse("triggers_tasks:inspect", args=[task.pk])
    decide(chief, task)
    assert url not in chief.get(reverse(LISTING)).content.decode()
    assert url in chief.get(reverse(LISTING), {"state": "done"}).content.decode()
    assert url in chief.get(reverse(LISTING), {"state": ""}).content.decode()


def test_listing_without_a_task_says_where_they_come_from(
    chief: Client, clock: FrozenClock
) -> None:
    html = chief.get(reverse(LISTING)).content.decode()
    assert "Nothing waits for a decision." in html
    assert "Ask somebody of the staff" in html
    html = chief.get(reverse(LISTING), {"q": "nobody"}).content.decode()
    assert "Nothing waits for a decision." not in html


def test_jobs_of_other_kinds_are_neither_listed_nor_shown_nor_decided(
    chief: Client, clock: FrozenClock, settings: object
) -> None:
    settings.WAGTAIL_TRIGGERS_COUPONS = {  # type: ignore[attr-defined]
        "BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"
    }
    forked(COUPON, {"next": [], "failed": []})
    order("77", line(), who=ADA)
    run_until_idle()
    job = Job.objects.get()
    url = reverse("triggers_tasks:inspect", args=[job.pk])
    assert url not in chief.get(reverse(LISTING), {"state": ""}).content.decode()
    assert chief.get(url).status_code == 404
    assert chief.post(reverse("triggers_tasks:decide", args=[job.pk])).status_code == 404


def test_task_page_shows_instructions_the_person_and_a_button_for_each_choice(
    chief: Client, task: Job
) -> None:
    html = page(chief, task)
    for words in (
        "Is the address complete?",
        "Ada Lovelace",
        reverse("triggers_contacts:inspect", args=[task.contact_id]),
        reverse("triggers_enrolments:inspect", args=[task.enrolment_id]),
        'value="approve"',
        'value="decline"',
        "order:77",
    ):
        assert words in html, words
    assert 'value="timeout"' not in html


@pytest.mark.parametrize("choice", ["approve", "decline"])
def test_decision_lets_the_run_go_on_at_once_and_is_recorded(
    client_with: ClientWith, task: Job, clock: FrozenClock, choice: str
) -> None:
    client = client_with("view_task", "decide_task")
    user = User.objects.latest("pk")
    html = decide(client, task, choice, " The address is fine. ")
    assert f"“Check the order”: {choice.title()}. The run goes on." in html
    task.refresh_from_db()
    assert (task.state, task.settled_at) == ("done", clock.read())
    assert task.result == {
        "choice": choice,
        "by": user.username,
        "by_id": user.pk,
        "note": "The address is fine.",
        "at": clock.read().isoformat(),
    }
    run = Enrolment.objects.get()
    assert run.wake_at == clock.read()
    entry = ModelLogEntry.objects.get(action="wagtail_triggers.decide")
    assert (entry.user_id, entry.object_id) == (user.pk, str(task.pk))
    assert entry.data == {"choice": choice, "note": "The address is fine."}
    run_until_idle()
    run.refresh_from_db()
    assert (run.state, port()) == ("completed", choice)
    html = page(client, task)
    assert "The address is fine." in html
    told = StepRun.objects.get(node="ask", decision="advance").detail["note"]
    assert told == f"{choice.title()} ({user.username}): The address is fine."
    assert "<form" not in html.partition("triggers-decide")[2].partition("</section>")[0]


def test_second_click_changes_nothing_and_says_so(chief: Client, task: Job) -> None:
    decide(chief, task, "approve")
    before = Job.objects.values().get()
    html = decide(chief, task, "decline")
    assert "Somebody was faster, or the run has ended. Nothing was changed." in html
    assert Job.objects.values().get() == before
    run_until_idle()
    html = decide(chief, task, "decline")
    assert "Somebody was faster, or the run has ended." in html
    assert Job.objects.values().get() == before
    assert port() == "approve"
    assert ModelLogEntry.objects.filter(action="wagtail_triggers.decide").count() == 1


@pytest.mark.parametrize("ticked", [False, True], ids=["before the tick", "after the tick"])
def test_click_after_the_deadline_changes_nothing_and_says_so(
    chief: Client, task: Job, clock: FrozenClock, ticked: bool
) -> None:
    clock.travel(2 * DAY)
    if ticked:
        run_until_idle()
    html = decide(chief, task)
    assert "The deadline has passed. The run goes on without a decision." in html
    run_until_idle()
    task.refresh_from_db()
    assert (task.state, port()) == ("cancelled", "timeout")
    assert 'value="approve"' not in page(chief, task)
    assert not ModelLogEntry.objects.filter(action="wagtail_triggers.decide").exists()


def test_click_on_a_choice_that_there_is_not_changes_nothing(chief: Client, task: Job) -> None:
    for choice in ("timeout", "", "approve2"):
        assert "There is no such choice." in decide(chief, task, choice)
    task.refresh_from_db()
    assert task.state == "open"


def test_decision_in_a_paused_journey_is_kept_until_it_goes_on(
    chief: Client, task: Job, clock: FrozenClock
) -> None:
    lifecycle.pause(Journey.objects.get())
    assert "The run goes on." in decide(chief, task)
    run_until_idle()
    assert Enrolment.objects.get().state == "active"
    lifecycle.resume(Journey.objects.get())
    run_until_idle()
    assert port() == "approve"


def test_task_of_a_parked_run_cannot_be_decided_until_it_is_tried_again(
    chief: Client, task: Job, clock: FrozenClock
) -> None:
    Enrolment.objects.update(state="parked", wake_at=None)
    assert "The run is parked." in page(chief, task)
    assert "The run is parked." in decide(chief, task)
    lifecycle.retry_parked([task.enrolment_id], clock.read())
    run_until_idle()
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["cancelled", "open"]
    decide(chief, Job.objects.get(state="open"))
    run_until_idle()
    assert port() == "approve"


@pytest.mark.parametrize(
    "codenames",
    [(), ("view_task",), ("decide_task",), ("view_enrolment", "publish_journey")],
    ids=["nothing", "look", "decide unseen", "other rights"],
)
def test_decision_without_the_right_to_decide_and_to_look_changes_nothing(
    codenames: tuple[str, ...], client_with: ClientWith, task: Job
) -> None:
    client = client_with(*codenames)
    response = client.post(reverse("triggers_tasks:decide", args=[task.pk]), {"choice": "approve"})
    assert response["Location"] == "/admin/"
    task.refresh_from_db()
    assert task.state == "open"
    assert not ModelLogEntry.objects.filter(action="wagtail_triggers.decide").exists()


def test_task_for_somebody_who_may_only_look_has_no_buttons_and_no_name(
    client_with: ClientWith, task: Job
) -> None:
    html = page(client_with("view_task"), task)
    assert "You may look at this task, but not decide it." in html
    assert 'value="approve"' not in html
    assert "Ada" not in html
    assert "Ada" in page(client_with("view_task", "view_contact"), task)


def test_decision_by_get_or_without_a_token_is_refused(chief: Client, task: Job) -> None:
    url = reverse("triggers_tasks:decide", args=[task.pk])
    assert chief.get(url).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = chief.cookies
    assert strict.post(url, {"choice": "approve"}).status_code == 403
    task.refresh_from_db()
    assert task.state == "open"


def test_texts_of_editors_and_staff_are_escaped(chief: Client, clock: FrozenClock) -> None:
    forked(
        {
            **TASK,
            "title": EVIL,
            "instructions": f"{EVIL}\nnext line",
            "choices": [{"name": "yes", "label": EVIL}],
        },
        {"yes": [], "timeout": []},
    )
    order("77", line(), who=ADA)
    run_until_idle()
    job = Job.objects.get()
    assert EVIL not in page(chief, job)
    assert EVIL not in chief.get(reverse(LISTING)).content.decode()
    assert EVIL not in decide(chief, job, "yes", EVIL)
    assert EVIL not in page(chief, job)
    run_until_idle()
    run_page = reverse("triggers_enrolments:inspect", args=[job.enrolment_id])
    assert EVIL not in chief.get(run_page).content.decode()
