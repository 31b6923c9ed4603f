"""System checks of endpoints, coupons, and what may be reached."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Error, Warning, run_checks
from pytest_django import Settings

from tests.integration.asking import SECRET
from wagtail_triggers.core.coupons import CouponProvider, Creation
from wagtail_triggers.core.memory_coupons import MemoryCoupons

MEMORY = "wagtail_triggers.core.memory_coupons.MemoryCoupons"


class Slow(MemoryCoupons):
    """A shop that takes its time."""

    hard_timeout = 60.0


class Complaining(CouponProvider):
    """A shop that knows what is missing."""

    def create(self, code: str, spec: Any) -> Creation:
        raise NotImplementedError

    def find(self, code: str) -> str | None:
        raise NotImplementedError

    def checks(self) -> list[Any]:
        return [Warning("No key.", id="shop.W001")]


def found() -> list[str]:
    """The ids of what the checks say of these settings."""
    ours = run_checks(tags=["wagtail_triggers"])
    assert all(one.hint for one in ours if isinstance(one, Error))
    ids = [str(one.id).removeprefix("wagtail_triggers.") for one in ours]
    return [one for one in ids if one.startswith(("E04", "shop"))]


def test_settings_that_are_right_are_not_complained_of(settings: Settings) -> None:
    assert found() == []
    settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["erp.internal", "10.1.0.0/16", "::1"]
    settings.WAGTAIL_TRIGGERS_COUPONS = {"BACKEND": MEMORY}
    settings.WAGTAIL_TRIGGERS_WEBHOOKS = {
        "erp": {"URL": "http://erp.internal:8080/x", "SECRET": SECRET},
        "crm": {"URL": "https://crm.example/x", "SECRET": [SECRET, SECRET]},
    }
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("WEBHOOKS", {"erp": {"URL": "http://erp.example/x", "SECRET": SECRET}}, ["E041"]),
        ("WEBHOOKS", {"a": "https://x.example", "b": {"URL": "https://x.example"}},
         ["E041", "E041"]),
        ("WEBHOOKS", ["erp"], ["E041"]),
        ("COUPONS", {"BACKEND": "shop.nowhere.Coupons"}, ["E042"]),
        ("COUPONS", {"BACKEND": MEMORY, "OPTIONS": {"key": "x"}}, ["E042"]),
        ("COUPONS", {"BACKEND": "decimal.Decimal"}, ["E042"]),
        ("COUPONS", MEMORY, ["E042"]),
        ("COUPONS", {"BACKEND": f"{__name__}.Complaining"}, ["shop.W001"]),
        ("COUPONS", {"BACKEND": f"{__name__}.Slow"}, ["E044"]),
        ("EGRESS_ALLOW", ["https://erp.internal"], ["E043"]),
        ("EGRESS_ALLOW", "erp.internal", ["E043"]),
        ("LEASE_SECONDS", 20, ["E044", "E044"]),
    ],
)  # fmt: skip
def test_setting_that_is_wrong_is_named_with_the_fix(
    settings: Settings, name: str, value: object, ids: list[str]
) -> None:
    setattr(settings, f"WAGTAIL_TRIGGERS_{name}", value)
    assert found() == ids
