"""Events and people in over HTTP, journeys and what they did out; and who may do what."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from wagtail.models import Site

from tests.shop import journey, template
from wagtail_triggers.core import clock as time
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.standard_webhooks import headers
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.events.models import Event
from wagtail_triggers.rest.models import ApiToken, Scope
from wagtail_triggers.rest.tokens import create, find, rotate
from wagtail_triggers.testing import run_until_idle

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
ORDER = {"order_id": "77", "total": {"amount": "12.50", "currency": "EUR"}}
Call = Callable[..., Any]


@pytest.fixture
def token(clock: FrozenClock) -> str:
    return create("shop", Scope.values)[1]


@pytest.fixture
def call(client: Client, token: str) -> Call:
    def call(method: str, path: str, body: Any = None, *, secret: str = token) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        extra = {"data": raw, "content_type": "application/json"} if method == "post" else {}
        return getattr(client, method)(
            f"/triggers/api/{path}", headers={"Authorization": f"Bearer {secret}"}, **extra
        )

    return call


def event(**changed: Any) -> dict[str, Any]:
    known = {"name": "order_placed", "contact": {"email": "ada@example.org"}, "key": "77"}
    return {**known, "payload": ORDER, **changed}


# Events -----------------------------------------------------------------------------------------


def test_event_is_recorded_with_its_token_as_source(call: Call, token: str) -> None:
    answer = call("post", "events", event(id="once", occurred_at="2026-05-01T11:00:00Z"))
    assert (answer.status_code, answer.json()) == (202, {"status": "recorded", "error": ""})
    row = Event.objects.get()
    assert (row.name, row.key, row.source) == ("order_placed", "77", f"api:{find(token).pk}")  # type: ignore[union-attr]
    assert row.occurred_at.isoformat() == "2026-05-01T11:00:00+00:00"
    assert row.payload["total"] == {"amount": "12.50", "currency": "EUR"}


def test_event_that_is_sent_again_is_a_duplicate(call: Call) -> None:
    call("post", "events", event(id="once"))
    assert call("post", "events", event(id="once")).json()["status"] == "duplicate"
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (event(name="order_plced"), 422, "Did you mean 'order_placed'"),
        (event(contact={"email": "nobody"}), 422, "is no e-mail address"),
        (event(contact=None), 422, "contact"),
        (event(payload={"order_id": "7", "total": {"amount": 1.5}}), 422, "float"),
        (event(occurred_at="2026-05-01T11:00:00"), 422, "timezone"),
        (event(occurred_at=1), 422, "ISO 8601"),
        (event(contact={"email": "a@b.example", "signed_in": "yes"}), 422, "boolean"),
        (event(whatever=1), 422, "Extra inputs"),
        (event(contact={"mail": "a@b.example"}), 422, "Extra inputs"),
        (event(id=""), 422, "at least 1"),
        (b"not json", 400, "no JSON"),
        (b'{"name": 1, "name": 2}', 400, "twice"),
        (b"[" * 200, 400, "nested"),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413, "bytes"),
    ],
)  # fmt: skip
def test_faulty_event_is_refused_with_the_fix(
    call: Call, body: Any, status: int, words: str
) -> None:
    answer = call("post", "events", body)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert Event.objects.count() == 0


def test_batch_takes_what_is_right_and_says_what_is_wrong(call: Call) -> None:
    events = [event(id="1"), event(id="1"), event(name="nonsense"), event(id="2")]
    answer = call("post", "events/batch", {"events": events}).json()
    assert (answer["recorded"], answer["duplicate"], answer["refused"]) == (2, 1, 1)
    assert [one["status"] for one in answer["results"]] == [
        "recorded", "duplicate", "refused", "recorded",
    ]  # fmt: skip
    assert Event.objects.count() == 2
    too_many = {"events": [event()] * 501}
    assert call("post", "events/batch", too_many).status_code == 422


def test_contacts_are_told(call: Call) -> None:
    ada = {"user_id": 7, "email": "ada@example.org", "first_name": "Ada", "birthday": "1990-02-28"}
    assert call("post", "contacts", ada).json()["status"] == "recorded"
    batch = call("post", "contacts/batch", {"contacts": [ada, {"email": "x"}]}).json()
    assert (batch["recorded"], batch["refused"]) == (1, 1)
    assert Event.objects.first().who["birthday"] == "1990-02-28"  # type: ignore[union-attr]


def test_nothing_is_lost_of_an_answer_that_was_given(call: Call) -> None:
    """A recorded event is routed like any other."""
    call("post", "events", event(name="user_registered", payload={}, key=""))
    run_until_idle()
    assert Event.objects.get().routed_at is not None


# Who may do what --------------------------------------------------------------------------------

ENDPOINTS = [
    ("post", "events", Scope.EVENTS), ("post", "events/batch", Scope.EVENTS),
    ("post", "contacts", Scope.CONTACTS), ("post", "contacts/batch", Scope.CONTACTS),
    ("get", "journeys", Scope.READ),
    ("get", "journeys/00000000-0000-0000-0000-000000000000", Scope.READ),
    ("get", "journeys/00000000-0000-0000-0000-000000000000/statistics", Scope.READ),
    ("get", "runs", Scope.PEOPLE), ("get", "messages", Scope.PEOPLE),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_endpoint_wants_a_token_with_its_scope(
    call: Call, client: Client, method: str, path: str, scope: Scope
) -> None:
    assert getattr(client, method)(f"/triggers/api/{path}").status_code == 401
    assert call(method, path, {}, secret="wtt_000000000000_made-up").status_code == 401
    others = [one for one in Scope.values if one != scope]
    answer = call(method, path, {}, secret=create("others", others)[1])
    assert answer.status_code == 403
    assert scope.value in answer.json()["detail"]
    assert call(method, path, {}).status_code not in (401, 403)


def test_token_ends(call: Call, clock: FrozenClock) -> None:
    secret = create("short", Scope.values, expires_at=time.now() + timedelta(hours=1))[1]
    assert call("get", "journeys", secret=secret).status_code == 200
    clock.travel(timedelta(hours=1))
    assert call("get", "journeys", secret=secret).status_code == 401


def test_token_that_is_replaced_works_for_a_week(call: Call, clock: FrozenClock) -> None:
    row, old = create("shop", [Scope.READ])
    fresh, new = rotate(row)
    assert fresh.scopes == [Scope.READ]
    for days, works in ((0, True), (6, True), (7, False)):
        clock.moment = clock.moment.replace(day=1) + timedelta(days=days)
        assert call("get", "journeys", secret=new).status_code == 200
        assert (call("get", "journeys", secret=old).status_code == 200) is works


def test_secret_is_not_kept(token: str) -> None:
    row = ApiToken.objects.get()
    assert token not in json.dumps([row.prefix, row.digest])
    for wrong in (token[:-1], token + "x", "", "wtt_", f"wtt_{row.prefix}_", "wtt_\x00_x"):
        assert find(wrong) is None


def test_limit_of_a_minute_counts_entries(
    call: Call, clock: FrozenClock, settings: Settings
) -> None:
    settings.WAGTAIL_TRIGGERS_API_PER_MINUTE = 5
    assert call("post", "events/batch", {"events": [event()] * 4}).status_code == 202
    refused = call("post", "events/batch", {"events": [event()] * 2})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert call("post", "events", event()).status_code == 202
    assert call("post", "events", event()).status_code == 429
    assert Event.objects.count() == 5
    clock.travel(timedelta(minutes=1))
    assert call("post", "events", event()).status_code == 202
    assert call("post", "events/batch", {"events": [event()] * 6}).status_code == 429


def test_command_makes_lists_replaces_and_revokes(db: None) -> None:
    out = StringIO()
    call_command(
        "triggers_token", "create", "erp", "--scope", "events:write", stdout=out, stderr=StringIO()
    )
    row = find(out.getvalue().strip())
    assert row is not None and row.scopes == ["events:write"]  # noqa: PT018
    out = StringIO()
    call_command("triggers_token", "rotate", str(row.pk), stdout=out, stderr=StringIO())
    assert find(out.getvalue().strip()) is not None
    out = StringIO()
    call_command("triggers_token", "list", stdout=out)
    assert out.getvalue().count("erp  events:write") == 2
    call_command("triggers_token", "revoke", str(row.pk), stdout=StringIO())
    assert ApiToken.objects.count() == 1
    with pytest.raises(CommandError, match="triggers_token list"):
        call_command("triggers_token", "revoke", "99999")


# Signed sources ---------------------------------------------------------------------------------


@pytest.fixture
def erp(settings: Settings, clock: FrozenClock) -> None:
    settings.WAGTAIL_TRIGGERS_SOURCES = {"erp": {"SECRET": SECRET}}


def signed(
    client: Client, body: bytes, name: str = "msg_1", source: str = "erp", **said: str
) -> Any:
    given = {**headers([SECRET], name, time.now(), body), **said}
    return client.post(
        f"/triggers/api/sources/{source}/events",
        body,
        content_type="application/json",
        headers=given,
    )


def test_signed_events_are_recorded_once(client: Client, erp: None) -> None:
    body = json.dumps({"events": [event(), event(key="78")]}).encode()
    assert signed(client, body).json()["recorded"] == 2
    assert signed(client, body).json()["duplicate"] == 2
    assert signed(client, body, "msg_2").json()["recorded"] == 2
    assert set(Event.objects.values_list("source", flat=True)) == {"source:erp"}


def test_signed_events_of_somebody_else_are_refused(
    client: Client, erp: None, clock: FrozenClock
) -> None:
    body = json.dumps({"events": [event()]}).encode()
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    forged = headers([other], "msg_1", time.now(), body)
    old = headers([SECRET], "msg_1", time.now() - timedelta(minutes=6), body)
    changed = headers([SECRET], "msg_1", time.now(), body + b" ")
    for said in (forged, old, changed, {"webhook-signature": ""}, {"webhook-id": "msg_9"}):
        assert signed(client, body, **said).status_code == 401
    assert signed(client, body, source="crm").status_code == 404
    assert Event.objects.count() == 0
    assert signed(client, b"{}").status_code == 422
    assert signed(client, b"nonsense").status_code == 400


def test_source_that_is_set_up_wrongly_tells_the_sender_to_come_again(
    client: Client, erp: None, settings: Settings
) -> None:
    settings.WAGTAIL_TRIGGERS_SOURCES = {"erp": {"SECRET": "short"}}
    assert signed(client, b"{}").status_code == 503


# Reading ----------------------------------------------------------------------------------------


@pytest.fixture
def story(clock: FrozenClock, outbox: list[Any]) -> Any:
    return journey(
        "Welcome",
        [
            {"kind": "entry", "event": "user_registered"},
            {"kind": "send", "template": template("Welcome")},
        ],
    )


def test_journey_runs_and_messages_can_be_read(call: Call, story: Any, clock: FrozenClock) -> None:
    for number in range(3):
        who = {"email": f"p{number}@example.org"}
        call("post", "events", event(name="user_registered", contact=who, payload={}, key=""))
    run_until_idle()
    listed = call("get", "journeys").json()
    assert listed["next"] is None
    (found,) = listed["items"]
    assert (found["uid"], found["live"], found["version"]) == (str(story.uid), True, 1)
    assert call("get", f"journeys/{story.uid}").json() == found
    numbers = call("get", f"journeys/{story.uid}/statistics?days=2").json()
    assert (numbers["entered"], numbers["sent"], numbers["sent_by_day"]) == (3, 3, [0, 3])
    runs = call("get", f"runs?journey={story.uid}").json()["items"]
    assert len(runs) == 3
    (one,) = call("get", "runs?contact=email:p1@example.org").json()["items"]
    (message,) = call("get", f"messages?run={one['id']}").json()["items"]
    assert (message["state"], message["contact"]) == ("accepted", one["contact"])
    assert "p1@example.org" not in json.dumps(message)
    assert call("get", "messages?state=failed").json()["items"] == []


def test_other_sites_rows_are_not_read(call: Call, story: Any) -> None:
    home = Site.objects.get().root_page
    other = Site.objects.create(hostname="other.example", root_page=home)
    secret = create("other", Scope.values, site=other)[1]
    assert call("get", "journeys", secret=secret).json()["items"] == []
    assert call("get", f"journeys/{story.uid}", secret=secret).status_code == 404


def test_page_costs_the_same_for_one_run_and_for_many(
    call: Call, story: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        who = {"email": f"p{number}@example.org"}
        call("post", "events", event(name="user_registered", contact=who, payload={}, key=""))
    run_until_idle()
    with django_assert_max_num_queries(4):
        assert len(call("get", "runs").json()["items"]) == 30
    first = Enrolment.objects.order_by("pk")[9].pk
    assert len(call("get", f"runs?after={first}").json()["items"]) == 20


def test_document_of_the_api_is_there(client: Client, db: None) -> None:
    document = client.get("/triggers/api/openapi.json").json()
    assert set(document["paths"]) == {
        "/triggers/api/events", "/triggers/api/events/batch", "/triggers/api/contacts",
        "/triggers/api/contacts/batch", "/triggers/api/sources/{name}/events",
        "/triggers/api/journeys", "/triggers/api/journeys/{uid}",
        "/triggers/api/journeys/{uid}/statistics", "/triggers/api/runs", "/triggers/api/messages",
    }  # fmt: skip
