"""Webhooks out: signed as the specification says, with the same id and bytes however often."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tests.integration.asking import SECRET, WEBHOOK, buyers, forked
from tests.unit.core.trap import Trap, answering, trap
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.jobs.worker import work_batch
from wagtail_triggers.engine.models import Job, StepRun
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

NEWER = "whsec_" + base64.b64encode(b"n" * 32).decode()


@pytest.fixture(autouse=True)
def _allowed(clock: FrozenClock, outbox: list[Outgoing], settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["127.0.0.1"]


@pytest.fixture
def erp(settings: Settings) -> Iterator[Trap]:
    with trap() as seen:
        serve(settings, seen)
        yield seen


def serve(settings: Settings, seen: Trap, secret: Any = SECRET) -> None:
    """Make the trap the endpoint "erp"."""
    url = f"http://127.0.0.1:{seen.port}/hooks?shop=1"
    settings.WAGTAIL_TRIGGERS_WEBHOOKS = {"erp": {"URL": url, "SECRET": secret}}


def tell(**more: Any) -> None:
    forked({**WEBHOOK, **more}, {"next": [], "failed": []})


def parsed(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _gap, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {row.split(": ")[0].lower(): row.split(": ", 1)[1] for row in lines}, body


def port() -> str:
    return StepRun.objects.get(node="ask", decision="advance").port


def test_webhook_tells_what_was_chosen_and_nothing_else(erp: Trap, clock: FrozenClock) -> None:
    tell(values={"list": "vip", "level": 2}, type="order.checked")
    buyers(1)
    run_until_idle()
    first, headers, body = parsed(erp.requests[0])
    job = Job.objects.get()
    assert first == "POST /hooks?shop=1 HTTP/1.1"
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    assert (told["type"], told["timestamp"]) == ("order.checked", "2026-05-01T12:00:00Z")
    data = told["data"]
    event = data.pop("event")
    assert data == {
        "journey": job.enrolment.journey_id,
        "run": job.enrolment_id,
        "step": "ask",
        "about": "order:p0",
        "values": {"list": "vip", "level": 2},
        "contact": {"email": "p0@example.com", "orders_count": 1},
    }
    assert event["name"] == "order_placed"
    assert event["data"]["order_id"] == "p0"
    assert (job.state, job.result, port()) == ("done", {"status": 204}, "next")


def test_webhook_without_event_data_sends_none(erp: Trap) -> None:
    tell(event=False, facts=[])
    buyers(1)
    run_until_idle()
    data = json.loads(parsed(erp.requests[0])[2])["data"]
    assert "event" not in data
    assert data["contact"] == {}
    assert b"p0@example.com" not in erp.requests[0]


def test_webhook_signature_is_what_a_receiver_computes(erp: Trap, clock: FrozenClock) -> None:
    tell()
    buyers(1)
    run_until_idle()
    _first, headers, body = parsed(erp.requests[0])
    job = Job.objects.get()
    assert headers["webhook-id"] == str(job.public_id)
    assert headers["webhook-timestamp"] == str(int(clock.read().timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"


def test_webhook_is_signed_with_each_secret_while_one_is_replaced(settings: Settings) -> None:
    with trap() as seen:
        serve(settings, seen, [NEWER, SECRET])
        tell()
        buyers(1)
        run_until_idle()
    signatures = parsed(seen.requests[0])[1]["webhook-signature"].split(" ")
    assert len(signatures) == len(set(signatures)) == 2
    assert all(one.startswith("v1,") for one in signatures)


def test_repetition_carries_the_same_id_and_bytes_and_a_time_of_its_own(
    settings: Settings, clock: FrozenClock
) -> None:
    answers = iter([answering("500 Oops"), answering("503 Busy", Retry_After="60")])

    def answer(request: bytes, connection: Any) -> bytes | None:
        return next(answers, answering("200 OK"))(request, connection)

    with trap(answer) as seen:
        serve(settings, seen)
        tell()
        buyers(1)
        for _round in range(3):
            work_batch()
            clock.travel(timedelta(minutes=2))
        run_until_idle()
    calls = [parsed(one) for one in seen.requests]
    assert len(calls) == 3
    assert len({headers["webhook-id"] for _first, headers, _body in calls}) == 1
    assert len({body for _first, _headers, body in calls}) == 1
    assert len({headers["webhook-timestamp"] for _first, headers, _body in calls}) == 3
    assert len({headers["webhook-signature"] for _first, headers, _body in calls}) == 3
    assert Job.objects.get().attempts == 3
    assert port() == "next"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("410 Gone", "HTTP 410: the other side wants no more of these."),
        ("404 Not Found", "HTTP 404"),
        ("302 Found", "HTTP 302: redirects are not followed."),
    ],
)
def test_webhook_that_is_refused_fails_at_once(
    settings: Settings, status: str, reason: str
) -> None:
    with trap(answering(status)) as seen:
        serve(settings, seen)
        tell()
        buyers(1)
        run_until_idle()
    job = Job.objects.get()
    assert (job.state, job.attempts, len(seen.requests)) == ("failed", 1, 1)
    assert job.reason.startswith(reason)
    assert port() == "failed"


def test_endpoint_that_nobody_reaches_is_tried_until_it_is_too_late(
    settings: Settings, clock: FrozenClock
) -> None:
    with trap() as seen:
        serve(settings, seen)
    tell(give_up_after={"amount": 3, "unit": "minutes"})
    buyers(1)
    for _round in range(8):
        run_until_idle()
        clock.travel(timedelta(seconds=30))
    job = Job.objects.get()
    assert job.state in ("failed", "cancelled")
    assert job.attempts >= 2
    assert port() == "failed"


def test_endpoint_that_was_taken_out_of_the_settings_is_named(settings: Settings) -> None:
    with trap() as seen:
        serve(settings, seen)
        tell()
        buyers(1)
        settings.WAGTAIL_TRIGGERS_WEBHOOKS = {}
        work_batch()
    job = Job.objects.get()
    assert (job.state, seen.connections) == ("planned", 0)
    assert "There is no webhook 'erp'" in job.reason


def test_endpoint_that_is_not_public_is_not_called(settings: Settings) -> None:
    with trap() as seen:
        serve(settings, seen)
        tell()
        buyers(1)
        settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = []
        run_until_idle()
        assert seen.connections == 0


def test_secret_is_in_no_row_and_in_no_reason(erp: Trap) -> None:
    tell()
    buyers(1)
    run_until_idle()
    rows = json.dumps(list(Job.objects.values("data", "result", "reason")), default=str)
    rows += json.dumps(list(StepRun.objects.values("detail")), default=str)
    assert "whsec_" not in rows
    assert "127.0.0.1" not in rows
