"""Who brings a journey into force, by which route, and what becomes of it."""

from __future__ import annotations

import json
import logging
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import (
    GroupApprovalTask,
    Task,
    TaskState,
    Workflow,
    WorkflowContentType,
    WorkflowState,
    WorkflowTask,
)
from wagtail.test.utils.form_data import querydict_from_html

from tests.admin.conftest import ClientWith
from tests.shop import ADA, journey, line, order, template
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.journeys.models import Journey, JourneyVersion
from wagtail_triggers.messages.models import Message, Template
from wagtail_triggers.testing import captured_messages, run_until_idle

EDITOR = ("view_journey", "add_journey", "change_journey")


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: Any) -> None:
    """No worker: hints go nowhere. No mail of Wagtail's."""
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"


@pytest.fixture
def row(clock: FrozenClock) -> Journey:
    """Thanks for an order, at once; published."""
    entry = {"kind": "entry", "event": "order_placed"}
    return journey("Thanks", [entry, {"kind": "send", "template": template("Thank you")}])


def with_wait(row: Journey, days: int = 1) -> dict[str, Any]:
    """The journey's graph with a wait before the letter."""
    graph: dict[str, Any] = deepcopy(row.graph)
    graph["nodes"].append(
        {"id": "pause", "kind": "wait", "settings": {"amount": days, "unit": "days"}}
    )
    graph["edges"][0]["target"] = "pause"
    graph["edges"].append({"source": "pause", "port": "next", "target": "n1"})
    return graph


def edit_url(row: Journey) -> str:
    return reverse("triggers_journeys:edit", args=[row.pk])


def filled(client: Client, row: Journey, **changes: Any) -> dict[str, Any]:
    """What the editor's page would post, with changes."""
    page = client.get(edit_url(row)).text
    data: dict[str, Any] = querydict_from_html(page, form_id="w-editor-form").dict()
    return {**data, **changes}


def post(client: Client, row: Journey, **changes: Any) -> Any:
    return client.post(edit_url(row), filled(client, row, **changes))


def draft_of(row: Journey, graph: dict[str, Any]) -> Any:
    made = row.get_latest_revision_as_object()
    made.graph = graph
    return made.save_revision()


def in_force(row: Journey) -> tuple[int, int]:
    """The number of the version in force, and how many there are."""
    row.refresh_from_db()
    assert row.live_version is not None
    return row.live_version.number, JourneyVersion.objects.filter(journey=row).count()


def broken(row: Journey) -> dict[str, Any]:
    graph: dict[str, Any] = deepcopy(row.graph)
    graph["nodes"][1]["settings"] = {"template": ""}
    return graph


# -- nobody without the right to publish can activate ------------------------------------------


def test_editor_without_the_right_saves_a_draft_whatever_button_is_posted(
    row: Journey, client_with: ClientWith
) -> None:
    client = client_with(*EDITOR)
    graph = json.dumps(with_wait(row))
    for action in ("action-publish", "action-submit", "action-restart-workflow"):
        post(client, row, graph=graph, **{action: "1"})
        assert in_force(row) == (1, 1)
    assert row.get_latest_revision_as_object().graph == json.loads(graph)


def test_editor_without_the_right_cannot_publish_while_creating(
    row: Journey, client_with: ClientWith
) -> None:
    client = client_with(*EDITOR)
    add = reverse("triggers_journeys:add")
    data = querydict_from_html(client.get(add).text, form_id="w-editor-form").dict()
    graph = json.dumps(row.graph)
    client.post(add, {**data, "name": "Sneaky", "graph": graph, "action-publish": "1"})
    made = Journey.objects.get(name="Sneaky")
    assert not made.live
    assert made.live_version is None


def test_editor_without_the_right_cannot_schedule_a_publication(
    row: Journey, client_with: ClientWith
) -> None:
    client = client_with(*EDITOR)
    soon = (timezone.now() + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M")
    graph = json.dumps(with_wait(row))
    post(client, row, graph=graph, go_live_at=soon, **{"action-publish": "1"})
    assert not row.revisions.filter(approved_go_live_at__isnull=False).exists()
    row.revisions.update(approved_go_live_at=None)
    call_command("publish_scheduled")
    assert in_force(row) == (1, 1)


def test_editor_without_the_right_cannot_bring_an_old_revision_back(
    row: Journey, client_with: ClientWith
) -> None:
    first = row.revisions.get()
    draft_of(row, with_wait(row)).publish()
    assert in_force(row) == (2, 2)
    client = client_with(*EDITOR)
    revert = reverse("triggers_journeys:revisions_revert", args=[row.pk, first.pk])
    page = client.get(revert)
    assert page.status_code == 200
    data = querydict_from_html(page.text, form_id="w-editor-form").dict()
    client.post(edit_url(row), {**data, "revision": first.pk, "action-publish": "1"})
    assert in_force(row) == (2, 2)


@pytest.mark.parametrize(
    "name", ["unpublish", "lock", "unlock", "underway", "pause", "resume", "archive", "take_up"]
)
def test_pages_of_publishers_refuse_an_editor(
    row: Journey, client_with: ClientWith, name: str
) -> None:
    client = client_with(*EDITOR)
    address = reverse(f"triggers_journeys:{name}", args=[row.pk])
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code in (302, 403, 405)
    row.refresh_from_db()
    assert (row.live, row.locked, row.state) == (True, False, "running")


def test_unscheduling_is_for_publishers(row: Journey, client_with: ClientWith) -> None:
    later = row.get_latest_revision_as_object()
    later.go_live_at = timezone.now() + timedelta(days=1)
    revision = later.save_revision()
    revision.publish()
    address = reverse("triggers_journeys:revisions_unschedule", args=[row.pk, revision.pk])
    assert client_with(*EDITOR).post(address).status_code in (302, 403)
    revision.refresh_from_db()
    assert revision.approved_go_live_at is not None


def test_copying_a_journey_activates_nothing(row: Journey, client_with: ClientWith) -> None:
    client = client_with(*EDITOR)
    page = client.get(reverse("triggers_journeys:copy", args=[row.pk])).text
    data = querydict_from_html(page, form_id="w-editor-form").dict()
    assert f'action="{reverse("triggers_journeys:add")}"' in page
    changes = {"name": "Twin", "action-publish": "1"}
    client.post(reverse("triggers_journeys:add"), {**data, **changes})
    twin = Journey.objects.get(name="Twin")
    assert (twin.live, twin.live_version) == (False, None)
    assert twin.uid != row.uid
    assert twin.graph == row.graph


@pytest.mark.parametrize("name", ["triggers_journeys", "triggers_templates"])
def test_copy_posted_to_itself_does_not_write_over_the_original(
    row: Journey, chief: Client, name: str
) -> None:
    of_journeys = name == "triggers_journeys"
    it: Any = row if of_journeys else Template.objects.get()
    before = it.name
    address = reverse(f"{name}:copy", args=[it.pk])
    data = querydict_from_html(chief.get(address).text, form_id="w-editor-form").dict()
    assert chief.post(address, {**data, "name": "Overwritten"}).status_code == 405
    it.refresh_from_db()
    assert (it.name, it.live) == (before, True)


def test_publisher_publishes_by_the_same_form(row: Journey, client_with: ClientWith) -> None:
    client = client_with(*EDITOR, "publish_journey")
    post(client, row, graph=json.dumps(with_wait(row)), **{"action-publish": "1"})
    assert in_force(row) == (2, 2)


# -- approval -----------------------------------------------------------------------------------


@pytest.fixture
def approval(row: Journey) -> tuple[Journey, Client]:
    """Journeys are approved by the group of reviewers; gives a reviewer's client."""
    reviewers = Group.objects.create(name="Reviewers")
    # Wagtail asks whoever approves last for the right to publish.
    reviewers.permissions.set([*_permission("access_admin"), *_permission("publish_journey")])
    task = GroupApprovalTask.objects.create(name="Look at it")
    task.groups.add(reviewers)
    workflow = Workflow.objects.create(name="Four eyes")
    WorkflowTask.objects.create(workflow=workflow, task=Task.objects.get(pk=task.pk))
    kind = ContentType.objects.get_for_model(Journey)
    WorkflowContentType.objects.create(workflow=workflow, content_type=kind)
    user = User.objects.create_user("reviewer", "r@example.com", "x")
    user.groups.add(reviewers)
    client = Client()
    client.force_login(user)
    return row, client


def _permission(codename: str) -> Any:
    return Permission.objects.filter(codename=codename)


def state_of(row: Journey) -> WorkflowState:
    found = WorkflowState.objects.filter(object_id=str(row.pk)).order_by("-pk").first()
    assert found is not None
    return found


def decide(client: Client, row: Journey, action: str, comment: str = "") -> Any:
    task_state = state_of(row).current_task_state
    address = reverse("triggers_journeys:workflow_action", args=[row.pk, action, task_state.pk])
    return client.post(address, {"comment": comment})


def submitted(row: Journey, client: Client, graph: dict[str, Any]) -> None:
    post(client, row, graph=json.dumps(graph), **{"action-submit": "1"})
    assert state_of(row).status == WorkflowState.STATUS_IN_PROGRESS
    assert in_force(row) == (1, 1)


def test_reviewer_approves_and_only_then_it_is_in_force(
    approval: tuple[Journey, Client], client_with: ClientWith
) -> None:
    row, reviewer = approval
    submitted(row, client_with(*EDITOR), with_wait(row))
    decide(reviewer, row, "approve")
    assert state_of(row).status == WorkflowState.STATUS_APPROVED
    assert in_force(row) == (2, 2)


def test_editor_cannot_approve_their_own_work(
    approval: tuple[Journey, Client], client_with: ClientWith
) -> None:
    row, _reviewer = approval
    editor = client_with(*EDITOR)
    submitted(row, editor, with_wait(row))
    assert decide(editor, row, "approve").status_code in (302, 403)
    assert state_of(row).status == WorkflowState.STATUS_IN_PROGRESS
    assert in_force(row) == (1, 1)


def test_reviewer_asks_for_changes_and_the_editor_submits_again(
    approval: tuple[Journey, Client], client_with: ClientWith
) -> None:
    row, reviewer = approval
    editor = client_with(*EDITOR)
    submitted(row, editor, with_wait(row, 1))
    decide(reviewer, row, "reject", "One day is too short")
    assert state_of(row).status == WorkflowState.STATUS_NEEDS_CHANGES
    assert in_force(row) == (1, 1)
    history = editor.get(reverse("triggers_journeys:history", args=[row.pk])).text
    assert "One day is too short" in history
    page = editor.get(edit_url(row)).text
    data = querydict_from_html(page, form_id="w-editor-form").dict()
    graph = json.dumps(with_wait(row, 3))
    editor.post(edit_url(row), {**data, "graph": graph, "action-submit": "1"})
    decide(reviewer, row, "approve")
    assert in_force(row) == (2, 2)
    assert row.live_version is not None
    assert next(one for one in row.live_version.graph["nodes"] if one["id"] == "pause")[
        "settings"
    ] == {"amount": 3, "unit": "days"}


def test_editor_cancels_what_they_have_submitted(
    approval: tuple[Journey, Client], client_with: ClientWith
) -> None:
    row, _reviewer = approval
    editor = client_with(*EDITOR)
    submitted(row, editor, with_wait(row))
    state_of(row).cancel()
    assert state_of(row).status == WorkflowState.STATUS_CANCELLED
    assert in_force(row) == (1, 1)
    assert not TaskState.objects.filter(status="in_progress").exists()


def test_approval_of_a_graph_that_does_not_compile_keeps_the_old_version(
    approval: tuple[Journey, Client], client_with: ClientWith, caplog: pytest.LogCaptureFixture
) -> None:
    row, reviewer = approval
    editor = client_with(*EDITOR)
    submitted(row, editor, with_wait(row))
    latest = row.latest_revision
    assert latest is not None
    latest.content["graph"] = broken(row)  # a host's step kind was removed meanwhile, say
    latest.save()
    decide(reviewer, row, "approve")
    assert in_force(row) == (1, 1)
    assert "This is missing" in row.publish_problem


# -- scheduled ----------------------------------------------------------------------------------


def scheduled(row: Journey, graph: dict[str, Any]) -> None:
    """Let the publisher schedule this for an hour from now, and let that hour pass."""
    later = row.get_latest_revision_as_object()
    later.graph = graph
    later.go_live_at = timezone.now() + timedelta(hours=1)
    revision = later.save_revision()
    revision.publish()
    assert in_force(row) == (1, 1)
    past = timezone.now() - timedelta(minutes=1)
    revision.approved_go_live_at = past
    revision.content["go_live_at"] = past.isoformat()
    revision.save()


def test_scheduled_publication_comes_into_force_when_its_time_has_come(row: Journey) -> None:
    scheduled(row, with_wait(row))
    call_command("publish_scheduled")
    assert in_force(row) == (2, 2)


def test_scheduled_graph_that_does_not_compile_keeps_the_old_version_logs_and_tells(
    row: Journey, chief: Client, caplog: pytest.LogCaptureFixture
) -> None:
    scheduled(row, broken(row))
    with caplog.at_level(logging.ERROR, "wagtail_triggers.publish"):
        call_command("publish_scheduled")
    assert in_force(row) == (1, 1)
    assert "cannot be compiled" in caplog.text
    assert "This is missing" in row.publish_problem
    inspect = chief.get(reverse("triggers_journeys:inspect", args=[row.pk])).text
    assert "This is missing. Fill it in." in inspect
    with captured_messages() as mails:
        order("1", line("Shirt"))
        run_until_idle()
    assert len(mails) == 1  # the old version goes on


def test_expired_journey_takes_nobody_in(row: Journey) -> None:
    draft = row.get_latest_revision_as_object()
    draft.expire_at = timezone.now() + timedelta(hours=1)
    draft.save_revision().publish()
    Journey.objects.filter(pk=row.pk).update(expire_at=timezone.now() - timedelta(minutes=1))
    call_command("publish_scheduled")
    row.refresh_from_db()
    assert not row.live
    with captured_messages():
        order("1", line("Shirt"))
        run_until_idle()
    assert not Enrolment.objects.filter(journey=row).exists()


# -- locking, conflicts, autosave ---------------------------------------------------------------


def lock(row: Journey) -> None:
    row.locked = True
    row.locked_by = User.objects.create_user("keeper", "k@example.com", "x")
    row.locked_at = timezone.now()
    row.save()


def test_locked_journey_is_shown_and_cannot_be_changed(
    row: Journey, client_with: ClientWith
) -> None:
    client = client_with(*EDITOR, "publish_journey")
    data = filled(client, row, graph=json.dumps(with_wait(row)), **{"action-publish": "1"})
    lock(row)
    page = client.get(edit_url(row)).text
    area = page[page.index('name="graph"') - 200 : page.index('name="graph"') + 600]
    assert " readonly" in area
    client.post(edit_url(row), data)
    assert in_force(row) == (1, 1)
    assert row.revisions.count() == 1


def test_journey_that_is_not_locked_can_be_drawn(row: Journey, client_with: ClientWith) -> None:
    page = client_with(*EDITOR).get(edit_url(row)).text
    area = page[page.index('name="graph"') - 200 : page.index('name="graph"') + 600]
    assert " readonly" not in area


def autosave(client: Client, row: Journey, data: dict[str, Any]) -> Any:
    return client.post(edit_url(row), data, headers={"accept": "application/json"})


def test_autosave_keeps_an_unfinished_graph_and_publishes_nothing(
    row: Journey, client_with: ClientWith
) -> None:
    client = client_with(*EDITOR, "publish_journey")
    answer = autosave(client, row, filled(client, row, graph=json.dumps(broken(row))))
    assert answer.json()["success"] is True
    assert in_force(row) == (1, 1)
    assert row.get_latest_revision_as_object().graph == broken(row)


def test_autosave_over_a_newer_revision_is_refused(row: Journey, client_with: ClientWith) -> None:
    client = client_with(*EDITOR)
    data = filled(client, row, graph=json.dumps(with_wait(row)))
    assert data.get("loaded_revision_id")
    theirs = with_wait(row, 9)
    draft_of(row, theirs)
    answer = autosave(client, row, data)
    assert answer.json()["success"] is False
    assert answer.json()["error_code"] == "invalid_revision"
    assert row.get_latest_revision_as_object().graph == theirs


def test_publishing_a_graph_with_errors_is_refused_with_the_place(
    row: Journey, client_with: ClientWith
) -> None:
    client = client_with(*EDITOR, "publish_journey")
    answer = post(client, row, graph=json.dumps(broken(row)), **{"action-publish": "1"})
    assert answer.status_code == 200
    assert "n1.template: This is missing. Fill it in." in answer.text
    assert in_force(row) == (1, 1)


# -- back to an old revision --------------------------------------------------------------------


def test_reverting_restores_old_behaviour_and_every_message_tells_its_version(
    row: Journey, clock: FrozenClock, client_with: ClientWith
) -> None:
    client = client_with(*EDITOR, "publish_journey")
    first = row.revisions.get()
    with captured_messages() as mails:
        order("1", line("Shirt"), who=ADA)
        run_until_idle()
        post(client, row, graph=json.dumps(with_wait(row)), **{"action-publish": "1"})
        order("2", line("Shirt"), who=ADA)
        run_until_idle()
        assert len(mails) == 1  # the second waits a day
        revert = reverse("triggers_journeys:revisions_revert", args=[row.pk, first.pk])
        data = querydict_from_html(client.get(revert).text, form_id="w-editor-form").dict()
        client.post(edit_url(row), {**data, "action-publish": "1"})
        assert in_force(row) == (3, 3)
        order("3", line("Shirt"), who=ADA)
        run_until_idle()
        assert len(mails) == 2
        clock.travel(timedelta(days=1))
        run_until_idle()
    versions = Message.objects.order_by("pk").values_list(
        "journey_version__number", "enrolment__key"
    )
    assert sorted(versions) == [(1, "order:1"), (2, "order:2"), (3, "order:3")]
    numbered = {one.number: one for one in row.versions.all()}
    assert numbered[1].digest == numbered[3].digest != numbered[2].digest


def test_reverting_and_publishing_nothing_changed_makes_no_new_version(row: Journey) -> None:
    row.revisions.get().publish()
    assert in_force(row) == (1, 1)
