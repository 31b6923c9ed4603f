"""Who may open what: every URL of ours in the admin, for everybody. A new URL needs a row here.

Each row names those who get in: (V)iewer, (E)ditor of drafts, (P)ublisher, (O)ther site's admin,
(S)uperuser. Nobody else ever does: neither somebody without rights nor a visitor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, transaction
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, reverse
from wagtail.models import Site

from tests.admin.conftest import History
from wagtail_triggers.admin.models import SiteAccess
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.core import clock
from wagtail_triggers.engine.models import Job, Task

OURS = "wagtail_triggers"
VIEW = ("contact", "enrolment", "event", "journey", "message", "task", "template", "topic")
WRITE = tuple(f"{verb}_{model}" for verb in ("add", "change") for model in ("journey", "template"))
PUBLISH = (
    "publish_journey", "publish_template", "delete_journey", "delete_template", "decide_task",
    "add_topic", "change_topic", "delete_topic", "lock_journey", "unlock_journey",
    "lock_template", "unlock_template", "send_test",
)  # fmt: skip

#: What is not about one row is open to those who may do it on any site.
ALL, ADDS, POS = "VEPOS", "EPOS", "POS"
#: What is about a row is open to those who may do it on that row's site.
READ, DRAFT, RELEASE, CHIEF = "VEPS", "EPS", "PS", "S"

#: Everybody who may open each URL. The rows are about a row of the first site.
EXPECTED = {
    "triggers_journeys:list": ALL,
    "triggers_journeys:list_results": ALL,
    "triggers_journeys:add": ADDS,
    "triggers_journeys:edit": DRAFT,
    "triggers_journeys:delete": RELEASE,
    "triggers_journeys:usage": DRAFT,
    "triggers_journeys:history": DRAFT,
    "triggers_journeys:history_results": DRAFT,
    "triggers_journeys:copy": DRAFT,
    "triggers_journeys:inspect": READ,
    "triggers_journeys:preview_on_add": ADDS,
    "triggers_journeys:preview_on_edit": DRAFT,
    "triggers_journeys:revisions_view": DRAFT,
    "triggers_journeys:revisions_revert": DRAFT,
    "triggers_journeys:revisions_compare": DRAFT,
    "triggers_journeys:revisions_unschedule": RELEASE,
    "triggers_journeys:unpublish": RELEASE,
    "triggers_journeys:lock": RELEASE,
    "triggers_journeys:unlock": RELEASE,
    "triggers_journeys:workflow_action": READ,
    "triggers_journeys:collect_workflow_action_data": READ,
    "triggers_journeys:confirm_workflow_cancellation": READ,
    "triggers_journeys:workflow_history": DRAFT,
    "triggers_journeys:workflow_history_detail": DRAFT,
    "triggers_journeys:workflow_preview": READ,
    "triggers_journeys:outline": ADDS,
    "triggers_journeys:canvas": ADDS,
    "triggers_journeys:step": ADDS,
    "triggers_journeys:numbers": READ,
    "triggers_journeys:pause": RELEASE,
    "triggers_journeys:resume": RELEASE,
    "triggers_journeys:archive": RELEASE,
    "triggers_journeys:take_up": RELEASE,
    "triggers_journeys:underway": RELEASE,
    "triggers_journeys:why_people": READ,
    "triggers_journeys:why": READ,
    "triggers_journeys:rehearsal": DRAFT,
    "wagtailsnippetchoosers_wagtail_triggers_journey:choose": ALL,
    "wagtailsnippetchoosers_wagtail_triggers_journey:choose_results": ALL,
    "wagtailsnippetchoosers_wagtail_triggers_journey:chosen": READ,
    "wagtailsnippetchoosers_wagtail_triggers_journey:chosen_multiple": ALL,
    "wagtailsnippetchoosers_wagtail_triggers_journey:create": ADDS,
    "triggers_templates:list": ALL,
    "triggers_templates:list_results": ALL,
    "triggers_templates:add": ADDS,
    "triggers_templates:edit": DRAFT,
    "triggers_templates:delete": RELEASE,
    "triggers_templates:usage": DRAFT,
    "triggers_templates:history": DRAFT,
    "triggers_templates:history_results": DRAFT,
    "triggers_templates:copy": DRAFT,
    "triggers_templates:inspect": READ,
    "triggers_templates:preview_on_add": ADDS,
    "triggers_templates:preview_on_edit": DRAFT,
    "triggers_templates:revisions_view": DRAFT,
    "triggers_templates:revisions_revert": DRAFT,
    "triggers_templates:revisions_compare": DRAFT,
    "triggers_templates:revisions_unschedule": RELEASE,
    "triggers_templates:unpublish": RELEASE,
    "triggers_templates:lock": RELEASE,
    "triggers_templates:unlock": RELEASE,
    "triggers_templates:workflow_action": READ,
    "triggers_templates:collect_workflow_action_data": READ,
    "triggers_templates:confirm_workflow_cancellation": READ,
    "triggers_templates:workflow_history": DRAFT,
    "triggers_templates:workflow_history_detail": DRAFT,
    "triggers_templates:workflow_preview": READ,
    "triggers_templates:read_by_new": ADDS,
    "triggers_templates:readers_new": ADDS,
    "triggers_templates:read_by": DRAFT,
    "triggers_templates:readers": DRAFT,
    "triggers_templates:test_send": RELEASE,
    "triggers_templates:variables": DRAFT,
    "triggers_templates:measure": DRAFT,
    "wagtailsnippetchoosers_wagtail_triggers_template:choose": ALL,
    "wagtailsnippetchoosers_wagtail_triggers_template:choose_results": ALL,
    "wagtailsnippetchoosers_wagtail_triggers_template:chosen": READ,
    "wagtailsnippetchoosers_wagtail_triggers_template:chosen_multiple": ALL,
    "wagtailsnippetchoosers_wagtail_triggers_template:create": ADDS,
    "triggers_topics:index": ALL,
    "triggers_topics:index_results": ALL,
    "triggers_topics:add": POS,
    "triggers_topics:edit": RELEASE,
    "triggers_topics:delete": RELEASE,
    "triggers_topics:history": RELEASE,
    "triggers_topics:history_results": RELEASE,
    "triggers_topics:usage": RELEASE,
    "triggers_contacts:index": ALL,
    "triggers_contacts:index_results": ALL,
    "triggers_contacts:inspect": READ,
    "triggers_contacts:erase": CHIEF,
    "triggers_enrolments:index": ALL,
    "triggers_enrolments:index_results": ALL,
    "triggers_enrolments:inspect": READ,
    "triggers_enrolments:retry_all": POS,
    "triggers_enrolments:retry": RELEASE,
    "triggers_tasks:index": ALL,
    "triggers_tasks:index_results": ALL,
    "triggers_tasks:inspect": READ,
    "triggers_tasks:decide": RELEASE,
    "triggers_messages:index": ALL,
    "triggers_messages:index_results": ALL,
    "triggers_messages:inspect": READ,
    "triggers_messages:body": READ,
    "triggers_events:index": ALL,
    "triggers_events:index_results": ALL,
    "triggers_events:inspect": READ,
    "triggers_look:recompile": CHIEF,
    "triggers_bundles:import": ADDS,
    "triggers_bundles:export": READ,
    "triggers_bundles:letters": READ,
    "triggers_recipes:gallery": ADDS,
    "triggers_recipes:recipe": ADDS,
    "triggers_recipes:letter": ADDS,
}


def ours(resolver: URLResolver | None = None, way: str = "", space: str = "") -> Iterator[str]:
    """The names of all URLs of the admin that are ours: under `triggers/`, and our choosers."""
    for one in (resolver or get_resolver()).url_patterns:
        path = way + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = ":".join(filter(None, [space, one.namespace]))
            yield from ours(one, path, inner)
        elif path.startswith("admin/") and (
            path.startswith("admin/triggers/") or f"/{OURS}/" in path
        ):
            yield f"{space}:{one.name}" if space else str(one.name)


def somebody(name: str, codenames: tuple[str, ...], site: Site | None = None) -> Client:
    """Log in somebody with these permissions of ours, on one site or on all."""
    group = Group.objects.create(name=name)
    known = Permission.objects.filter(content_type__app_label=OURS, codename__in=codenames)
    assert {one.codename for one in known} == set(codenames)
    group.permissions.set([*known, Permission.objects.get(codename="access_admin")])
    if site is not None:
        SiteAccess.objects.create(group=group, site=site)
    user = User.objects.create_user(name, password="x")
    user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def people(history: History) -> dict[str, Client]:
    """One of each."""
    default = history.journey.site
    Job.objects.create(
        site=default, contact=history.contact, enrolment=history.parked, seq=1, node="n1",
        kind=Task.KIND, state=Task.State.OPEN, data={"title": "Call"}, created_at=clock.now(),
    )  # fmt: skip
    other = Site.objects.create(hostname="b.example", root_page=default.root_page)
    viewing = tuple(f"view_{model}" for model in VIEW)
    every = Permission.objects.filter(content_type__app_label=OURS)
    chief = Client()
    chief.force_login(User.objects.create_superuser("chief", "chief@example.com", "x"))
    return {
        "anonymous": Client(),
        "nobody": somebody("nobody", ()),
        "V": somebody("viewer", viewing),
        "E": somebody("editor", (*viewing, *WRITE)),
        "P": somebody("publisher", (*viewing, *WRITE, *PUBLISH)),
        "O": somebody("other", tuple(every.values_list("codename", flat=True).distinct()), other),
        "S": chief,
    }


def address(name: str, history: History) -> str:
    """A URL of this name about a row of the first site."""
    rows: dict[str, Any] = {
        "triggers_journeys": history.journey,
        "triggers_templates": history.template,
        "triggers_topics": Topic.objects.get(slug="carts"),
        "triggers_contacts": history.contact,
        "triggers_enrolments": history.parked,
        "triggers_messages": history.message,
        "triggers_events": history.event,
        "triggers_bundles": history.journey,
        f"wagtailsnippetchoosers_{OURS}_journey": history.journey,
        f"wagtailsnippetchoosers_{OURS}_template": history.template,
    }
    space, _colon, view = name.rpartition(":")
    row = rows.get(space)
    task = Task.objects.order_by("pk").values_list("pk", flat=True).first() or 0
    revision = getattr(row, "latest_revision_id", None) or 0
    known = {
        "pk": row.pk if row is not None else task,
        "contact": history.contact.pk,
        "site_id": history.journey.site_id,
        "revision_id": revision,
        "revision_id_a": "earliest",
        "revision_id_b": "latest",
        "action_name": "approve",
        "task_state_id": 0,
        "task_id": 0,
        "workflow_state_id": 0,
        "name": "welcome-series",
        "key": "00000000-0000-0000-0000-000000000000",
        "language": "en",
    }
    patterns = get_resolver()
    for part in filter(None, space.split(":")):
        patterns = patterns.namespace_dict[part][1] if part in patterns.namespace_dict else patterns
    wanted = {one for found in patterns.reverse_dict.getlist(view) for one in found[0][0][1]}
    return reverse(name, kwargs={key: known[key] for key in wanted})


def is_in(answer: HttpResponseBase) -> bool:
    """Whether somebody got past the permission check, whatever was behind it."""
    if answer.status_code == 403:
        return False
    way = answer.headers.get("Location", "")
    return answer.status_code != 302 or not (way == "/admin/" or way.startswith("/admin/login/"))


def gets_in(client: Client, url: str) -> bool:
    """Whether this browser gets in, by looking or, where one cannot look, by doing."""
    answer = client.get(url)
    if answer.status_code == 405:
        answer = client.post(url)
    return is_in(answer)


def test_every_url_of_the_admin_has_a_row_and_no_row_is_left_over(db: None) -> None:
    assert sorted(EXPECTED) == sorted(set(ours()))


@pytest.mark.parametrize("bulk", ["pause", "resume", "archive", "retry", "take_out"])
def test_bulk_decisions_are_open_to_those_who_publish_and_to_nobody_else(
    bulk: str, people: dict[str, Client], history: History
) -> None:
    model = "enrolment" if bulk in ("retry", "take_out") else "journey"
    row = history.parked if model == "enrolment" else history.journey
    url = reverse("wagtail_bulk_action", args=[OURS, model, bulk]) + f"?id={row.pk}"
    found = {who: gets_in(client, url) for who, client in people.items()}
    assert found == {who: who in "POS" for who in people}
    assert str(history.journey) not in people["O"].get(url).text


def test_urls_let_in_whom_the_table_names(
    people: dict[str, Client], history: History, settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"
    found = {}
    # Whether somebody gets in is decided before a page is drawn.
    drawn = PropertyMock(return_value="")
    with patch.object(SimpleTemplateResponse, "rendered_content", drawn):
        for name in EXPECTED:
            url = address(name, history)
            with transaction.atomic():
                who = [one for one, client in people.items() if gets_in(client, url)]
                transaction.set_rollback(True)
            found[name] = "".join(who)
    assert found == EXPECTED


#: Wagtail makes the settings of a site when they are first looked at, notes who has an editor open,
#: and renews sessions.
BY_LOOKING = ("TriggersSettings", "Session", "EditingSession")


def test_looking_as_a_superuser_writes_nothing(people: dict[str, Client], history: History) -> None:
    models = [one for one in apps.get_models() if one.__name__ not in BY_LOOKING]
    before = {model: model._default_manager.count() for model in models}
    wrote = {}
    for name in EXPECTED:
        url = address(name, history)
        with CaptureQueriesContext(connection) as queries:
            people["S"].get(url)
        words = [query["sql"] for query in queries.captured_queries]
        changed = [one for one in words if one.split()[0] in ("INSERT", "UPDATE", "DELETE")]
        own = [one for one in changed if "session" not in one and "triggerssettings" not in one]
        if own:
            wrote[name] = own
    assert wrote == {}
    assert {model: model._default_manager.count() for model in models} == before
