"""The manifest, the hand-over of the token, removal, the checks and the command."""

from __future__ import annotations

import hashlib
import hmac
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from tests.saleor.conftest import capture, jwks, send
from tests.saleor.server import FakeSaleor
from wagtail_triggers.integrations.saleor.checks import check_settings
from wagtail_triggers.integrations.saleor.models import Instance
from wagtail_triggers.integrations.saleor.vault import unseal

APP = {"app": {"id": "QXBwOjE="}}


def hand_over(client: Client, saleor: FakeSaleor, token: str = "", **headers: str) -> Any:
    said = {**capture("030").headers, "Saleor-Api-Url": saleor.api_url, **headers}
    return client.post(
        "/triggers/saleor/register/",
        json.dumps({"auth_token": token or "lab-token"}),
        content_type="application/json",
        headers={name: value for name, value in said.items() if name.startswith("Saleor-")},
    )


@pytest.fixture
def ready(saleor: FakeSaleor) -> FakeSaleor:
    saleor.answers, saleor.jwks = {"app { id }": APP}, jwks()
    return saleor


def test_manifest_declares_webhooks_that_ask_for_name_and_time(client: Client, db: None) -> None:
    found = client.get("/triggers/saleor/manifest/").json()
    assert found["tokenTargetUrl"] == "https://shop.example/triggers/saleor/register/"
    assert found["id"] == "wagtail-triggers"
    for one in found["webhooks"]:
        assert one["targetUrl"] == "https://shop.example/triggers/saleor/webhook/"
        assert one["query"].startswith("subscription { event { __typename issuedAt")
    told = {event for one in found["webhooks"] for event in one["asyncEvents"]}
    assert {"ORDER_CREATED", "ORDER_FULLY_PAID", "CHECKOUT_UPDATED", "CUSTOMER_CREATED"} <= told


def test_token_is_tried_and_kept_encrypted(
    ready: FakeSaleor, client: Client, clock: object
) -> None:
    assert hand_over(client, ready).json() == {"success": True}
    kept = Instance.objects.get()
    assert (kept.api_url, kept.app_id) == (ready.api_url, "QXBwOjE=")
    assert "lab-token" not in kept.token
    assert unseal(kept.token) == "lab-token"
    assert kept.jwks == jwks()


def test_second_installation_replaces_the_token(
    ready: FakeSaleor, client: Client, clock: object
) -> None:
    hand_over(client, ready)
    ready.token = "newer"
    hand_over(client, ready, "newer")
    assert unseal(Instance.objects.get().token) == "newer"


def test_token_that_saleor_does_not_know_is_refused(
    ready: FakeSaleor, client: Client, clock: object
) -> None:
    assert hand_over(client, ready, "made-up").status_code == 403
    assert Instance.objects.count() == 0


def test_saleor_that_is_not_named_is_not_even_asked(
    ready: FakeSaleor, client: Client, clock: object
) -> None:
    other = {"Saleor-Api-Url": "https://evil.example/graphql/"}
    assert hand_over(client, ready, **other).status_code == 403
    assert ready.asked == []


def test_saleor_that_does_not_answer_is_told_to_come_again(
    ready: FakeSaleor, client: Client, clock: object
) -> None:
    ready.faults = [(503, {"Retry-After": "60"})] * 9
    assert hand_over(client, ready).status_code == 503
    assert Instance.objects.count() == 0


@pytest.mark.parametrize("body", ["", "[]", '{"auth_token": 7}', '{"auth_token": "a\\nb"}'])
def test_hand_over_without_a_token_says_what_is_wanted(
    ready: FakeSaleor, client: Client, body: str, clock: object
) -> None:
    answer = client.post(
        "/triggers/saleor/register/",
        body,
        content_type="application/json",
        headers={"Saleor-Api-Url": ready.api_url},
    )
    assert answer.status_code == 400


def test_removal_forgets_the_token_and_refuses_what_follows(
    instance: Instance, client: Client
) -> None:
    body = json.dumps(
        {"__typename": "AppDeleted", "issuedAt": "2026-11-21T21:17:00+00:00", "app": {"id": "x"}}
    )
    for app, left in (("x", True), ("QXBwOjE=", False)):
        raw = body.replace('"x"', f'"{app}"').encode()
        mac = hmac.new(b"lab-secret", raw, hashlib.sha256).hexdigest()
        send(client, capture("002"), body=raw, headers={"Saleor-Signature": mac})
        instance.refresh_from_db()
        assert bool(instance.token) is left
    assert send(client, capture("013")).status_code == 503


def test_command_prints_the_manifest_and_checks_the_connection(
    installed: Instance, ready: FakeSaleor
) -> None:
    out = StringIO()
    call_command("triggers_saleor", "manifest", stdout=out)
    assert out.getvalue() == "https://shop.example/triggers/saleor/manifest/\n"
    out = StringIO()
    call_command("triggers_saleor", "check", stdout=out)
    assert "installed as QXBwOjE=, 1 public keys, 0 deliveries" in out.getvalue()
    ready.token = "changed"
    with pytest.raises(CommandError, match="token is not known there"):
        call_command("triggers_saleor", "check")


def test_command_says_how_to_install(saleor: FakeSaleor, clock: object) -> None:
    with pytest.raises(CommandError, match="Install from manifest"):
        call_command("triggers_saleor", "check")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, {"wagtail_triggers_saleor.W001"}),
        ({"INSTANCES": {"https://a.example/graphql/": {}}}, {"wagtail_triggers_saleor.E002"}),
        ({"INSTANCES": {"https://a.example/graphql/": {}}, "KEYS": ["short"]},
         {"wagtail_triggers_saleor.E002"}),
        ({"INSTANCES": {"a.example": {}}}, {"wagtail_triggers_saleor.E001"}),
        ({"INSTANCES": {"https://a.example/graphql/": {"SITES": 1}}},
         {"wagtail_triggers_saleor.E001"}),
        ({"INSTANCE": {}}, {"wagtail_triggers_saleor.E001"}),
        ({"INSTANCES": {"https://a.example/graphql/": {"STOREFRONT": {"CART": "/{token}"}}}},
         {"wagtail_triggers_saleor.E001"}),
        ({"INSTANCES": {"https://a.example/graphql/": {}},
          "KEYS": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="], "BASE_URL": "http://a"},
         {"wagtail_triggers_saleor.W002"}),
    ],
)  # fmt: skip
def test_checks_name_what_is_wrong(
    settings: Settings, change: dict[str, Any], found: set[str]
) -> None:
    settings.WAGTAIL_TRIGGERS_SALEOR = change
    assert {one.id for one in check_settings()} == found
