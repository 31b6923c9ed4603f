"""Records are read, by those who may, and changed by nobody."""

from __future__ import annotations

from copy import copy
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from wagtail import hooks
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.permissions import policy_registry

from tests.admin.conftest import ClientWith, History
from wagtail_triggers.admin.permissions import RECORDS, may_view
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.engine.models import Enrolment, Task
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.models import Message

NAMESPACES: dict[type[Model], str] = {
    Contact: "triggers_contacts",
    Enrolment: "triggers_enrolments",
    Task: "triggers_tasks",
    Message: "triggers_messages",
    Event: "triggers_events",
}
EACH_RECORD = pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
HOME = "/admin/"


#: What a group can be given beside the permission to look.
MORE_PERMISSIONS: dict[type[Model], set[str]] = {
    Task: {"decide_task"},
    Contact: {"erase_contact"},
}


def row_of(model: type[Model], history: History) -> Model:
    if model is Task:
        return _task(history.run)
    rows = (history.contact, history.run, history.message, history.event)
    return next(row for row in rows if isinstance(row, model))


def _task(run: Enrolment) -> Task:
    """A task of the run, made at need."""
    values = {"site": run.site, "contact": run.contact, "created_at": run.entered_at}
    found, _made = Task.objects.get_or_create(
        enrolment=run, seq=99, kind=Task.KIND, defaults={**values, "state": Task.State.OPEN}
    )
    return found


def view_codename(model: type[Model]) -> str:
    return f"view_{model._meta.model_name}"


@EACH_RECORD
def test_record_for_somebody_with_the_view_permission_is_listed_and_shown(
    model: type[Model], history: History, client_with: ClientWith
) -> None:
    client = client_with(view_codename(model))
    row = row_of(model, history)
    listing = client.get(reverse(f"{NAMESPACES[model]}:index"))
    page_url = reverse(f"{NAMESPACES[model]}:inspect", args=[row.pk])
    page = client.get(page_url)
    assert (listing.status_code, page.status_code) == (200, 200)
    assert page_url in listing.content.decode()


@EACH_RECORD
def test_record_for_somebody_without_rights_is_out_of_reach(
    model: type[Model], history: History, client_with: ClientWith
) -> None:
    others = {view_codename(other) for other in RECORDS if other is not model}
    client = client_with(*others)
    for view in ("index", "index_results", "inspect"):
        args = [row_of(model, history).pk] if view == "inspect" else []
        response = client.get(reverse(f"{NAMESPACES[model]}:{view}", args=args))
        assert (response.status_code, response["Location"]) == (302, HOME)


@EACH_RECORD
def test_record_has_no_url_that_changes_it(model: type[Model]) -> None:
    for view in ("add", "edit", "delete", "copy", "history", "usage"):
        for args in ([], [1]):
            with pytest.raises(NoReverseMatch):
                reverse(f"{NAMESPACES[model]}:{view}", args=args)


@EACH_RECORD
def test_record_posted_to_where_wagtail_would_change_it_stays(
    model: type[Model], history: History, chief: Client
) -> None:
    row = row_of(model, history)
    before = model._default_manager.filter(pk=row.pk).values().get()
    for path in ("new/", f"edit/{row.pk}/", f"delete/{row.pk}/", f"copy/{row.pk}/"):
        url = reverse(f"{NAMESPACES[model]}:index") + path
        assert chief.post(url, {"email": "b@example.com"}).status_code == 404
    assert model._default_manager.filter(pk=row.pk).values().get() == before


@EACH_RECORD
def test_record_pages_show_a_superuser_no_button_that_changes(
    model: type[Model], history: History, chief: Client
) -> None:
    row = row_of(model, history)
    listing = chief.get(reverse(f"{NAMESPACES[model]}:index"))
    page = chief.get(reverse(f"{NAMESPACES[model]}:inspect", args=[row.pk]))
    prefix = reverse(f"{NAMESPACES[model]}:index")
    for html in (listing.content.decode(), page.content.decode()):
        assert f"{prefix}new/" not in html
        assert f"{prefix}edit/" not in html
        assert f"{prefix}delete/" not in html


@EACH_RECORD
def test_policy_lets_even_a_superuser_only_look(model: type[Model], db: None) -> None:
    policy = policy_registry.get_by_type(model)
    chief = User.objects.create_superuser("chief")
    allowed = [
        action
        for action in ("add", "change", "delete", "view", "publish")
        if policy.user_has_permission(chief, action)
    ]
    assert allowed == ["view"]
    assert not policy.user_has_any_permission(chief, ["add", "change", "delete"])
    assert list(policy.users_with_any_permission(["change"])) == []
    assert list(policy.users_with_any_permission(["change", "view"])) == [chief]


@EACH_RECORD
def test_group_form_offers_the_view_permission_of_a_record_and_no_other(
    model: type[Model], db: None
) -> None:
    offered = Permission.objects.none()
    for hook in hooks.get_hooks("register_permissions"):
        offered |= hook()
    codenames = offered.filter(
        content_type__app_label="wagtail_triggers", content_type__model=model._meta.model_name
    ).values_list("codename", flat=True)
    assert set(codenames) == {view_codename(model)} | MORE_PERMISSIONS.get(model, set())


def test_url_of_a_record_is_given_only_to_those_who_may_look(
    history: History, client_with: ClientWith
) -> None:
    client_with("view_enrolment")
    reader = User.objects.latest("pk")
    client_with()
    stranger = User.objects.latest("pk")
    assert may_view(reader, Enrolment)
    assert AdminURLFinder(reader).get_edit_url(history.run) == reverse(
        "triggers_enrolments:inspect", args=[history.run.pk]
    )
    assert AdminURLFinder(stranger).get_edit_url(history.run) is None


def test_listing_of_runs_hides_the_names_of_people_from_those_who_may_not_see_contacts(
    history: History, client_with: ClientWith
) -> None:
    url = reverse("triggers_enrolments:index")
    assert "Ada" not in client_with("view_enrolment").get(url).content.decode()
    assert "Ada" in client_with("view_enrolment", "view_contact").get(url).content.decode()


def test_listing_of_records_costs_the_same_for_one_row_and_for_many(
    history: History, chief: Client
) -> None:
    for model, namespace in NAMESPACES.items():
        url = reverse(f"{namespace}:index")
        row = row_of(model, history)
        chief.get(url)
        few = queries_of(chief, url)
        multiply(model, row)
        assert queries_of(chief, url) == few, model


def queries_of(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def multiply(model: type[Model], row: Model) -> None:
    """Add ten rows like `row`, with unique fields of their own."""
    copies = []
    for number in range(10):
        twin: Any = copy(row)
        twin.pk, twin.public_id, twin.key = None, uuid4(), f"cart:x{number}"
        twin.idempotency_key = twin.dedupe_key = f"x{number}"
        twin.seq = 100 + number
        copies.append(twin)
    model._default_manager.bulk_create(copies)
