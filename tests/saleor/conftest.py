"""An instance that has installed us, its captures, and a Saleor that answers as recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.saleor.server import FakeSaleor, serving
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.clock import now as moment
from wagtail_triggers.integrations.saleor.configuration import InstanceSettings, configuration
from wagtail_triggers.integrations.saleor.models import Instance
from wagtail_triggers.integrations.saleor.vault import seal
from wagtail_triggers.testing import travelling

CAPTURES = Path(__file__).with_name("captures")
API_URL = "http://127.0.0.1:58000/graphql/"


@dataclass(frozen=True)
class Capture:
    """One request of Saleor, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def signature(self) -> str:
        return self.headers["Saleor-Signature"]


@cache
def capture(name: str) -> Capture:
    """The capture of this number or name: "002" or "002-customer_created"."""
    (found,) = CAPTURES.glob(f"{name}*.json")
    kept = json.loads(found.read_text())
    return Capture(kept["path"], kept["headers"], kept["raw_body"].encode())


def all_captures() -> list[str]:
    """Names of the captured webhooks, in order of arrival."""
    return sorted(one.stem for one in CAPTURES.glob("0[012]*.json"))


@cache
def jwks() -> dict[str, Any]:
    """The public keys of the Saleor that signed the captures."""
    found: dict[str, Any] = json.loads((CAPTURES / "jwks.json").read_text())
    return found


def send(client: Client, one: Capture, **changed: Any) -> Any:
    """POST a capture to our webhook, with some of it changed."""
    headers = {**one.headers, **changed.get("headers", {})}
    return client.post(
        "/triggers/saleor/webhook/",
        changed.get("body", one.body),
        content_type="application/json",
        headers={name: value for name, value in headers.items() if name.startswith("Saleor-")},
    )


@pytest.fixture
def clock(db: None) -> Iterator[FrozenClock]:
    """A minute after the captures were made."""
    with travelling("2026-11-21 21:18") as moving:
        yield moving


@pytest.fixture
def known(settings: Settings) -> InstanceSettings:
    """The settings of the captured Saleor."""
    found = configuration().instance(API_URL)
    assert found is not None
    return found


@pytest.fixture
def instance(clock: FrozenClock, known: InstanceSettings) -> Instance:
    """The captured Saleor, installed, with its keys in the cache."""
    return Instance.objects.create(
        api_url=known.api_url,
        domain=known.domain,
        app_id="QXBwOjE=",
        token=seal("lab-token"),
        jwks=jwks(),
        jwks_at=moment(),
        installed_at=moment(),
    )


@pytest.fixture
def saleor(settings: Settings) -> Iterator[FakeSaleor]:
    """A Saleor on loopback that the settings allow and name."""
    settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["127.0.0.0/8"]
    with serving() as server:
        settings.WAGTAIL_TRIGGERS_SALEOR = {
            **settings.WAGTAIL_TRIGGERS_SALEOR,
            "INSTANCES": {
                server.api_url: {
                    "CHANNELS": ["default-channel"],
                    "STOREFRONT": {
                        "CART": "https://store.example/checkout?checkout={id}",
                        "PRODUCT": "https://store.example/products/{slug}",
                    },
                }
            },
        }
        yield server


@pytest.fixture
def installed(saleor: FakeSaleor, clock: FrozenClock) -> Instance:
    """The fake Saleor, installed."""
    found = configuration().instance(saleor.api_url)
    assert found is not None
    return Instance.objects.create(
        api_url=found.api_url,
        domain=found.domain,
        app_id="QXBwOjE=",
        token=seal(saleor.token),
        jwks=jwks(),
        jwks_at=moment(),
        installed_at=moment(),
    )
