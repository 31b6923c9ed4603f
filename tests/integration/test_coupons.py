"""Coupons: a code of one's own, committed first, made once, and shown in messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tests.integration.asking import COUPON, buyers, forked, jobs
from tests.shop import line, order, template
from wagtail_triggers.api import Who
from wagtail_triggers.core import memory_coupons
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.coupons import CouponSpec, Creation
from wagtail_triggers.core.http import Fate
from wagtail_triggers.engine.jobs.worker import work_batch
from wagtail_triggers.engine.models import Job
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LEASE = timedelta(seconds=90)


@pytest.fixture(autouse=True)
def _shop(clock: FrozenClock, outbox: list[Outgoing], settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_COUPONS = {
        "BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"
    }
    memory_coupons.clear()


@pytest.fixture
def plan(_shop: None) -> Journey:
    """A coupon for every order."""
    return forked(COUPON, {"next": [], "failed": []})


def test_messages_after_a_coupon_show_it(outbox: list[Outgoing], clock: FrozenClock) -> None:
    letter = template(
        "{{ coupon.code }}",
        "<p>{{ coupon.percent }} % until {{ coupon.expires_at | date }}: {{ coupon.code }}</p>",
    )
    forked(COUPON, {"next": [{"kind": "send", "template": letter}], "failed": []})
    buyers(2)
    run_until_idle()
    codes = set(memory_coupons.issued)
    assert {one.subject for one in outbox} == codes
    assert len(codes) == 2
    assert all("10 % until" in one.text for one in outbox)
    assert all("8 May 2026" in one.text or "May 8, 2026" in one.text for one in outbox)


def test_message_without_a_coupon_asks_for_none_and_shows_nothing(
    outbox: list[Outgoing], clock: FrozenClock
) -> None:
    letter = template("Sorry", "<p>[{{ coupon.code }}]</p>")
    memory_coupons.script([Creation(Fate.REFUSED)])
    forked(COUPON, {"next": [], "failed": [{"kind": "send", "template": letter}]})
    buyers(1)
    run_until_idle()
    assert len(outbox) == 1
    assert "[]" in outbox[0].text


def test_code_has_80_bits_a_prefix_and_letters_that_nobody_confuses(plan: Journey) -> None:
    buyers(30)
    run_until_idle()
    codes = jobs("reference")
    assert len(set(codes)) == 30
    for code in codes:
        prefix, *groups = code.split("-")
        assert prefix == "SPRING"
        assert [len(group) for group in groups] == [4, 4, 4, 4]
        assert not set("".join(groups)) & set("ILOU")
    assert Job.objects.first().result["expires_at"] == "2026-05-08T12:00:00+00:00"  # type: ignore[union-attr]


def test_code_is_committed_before_the_shop_hears_of_it(
    plan: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original = memory_coupons.MemoryCoupons.create

    def looks(self: Any, code: str, spec: Any) -> Creation:
        row = Job.objects.get(reference=code)
        seen.append((row.state, spec.owner == str(row.public_id), spec.email, spec.discount))
        return original(self, code, spec)

    monkeypatch.setattr(memory_coupons.MemoryCoupons, "create", looks)
    buyers(1)
    run_until_idle()
    assert seen == [("working", True, "p0@example.com", "percent")]


def test_code_that_belongs_to_somebody_else_is_replaced(
    plan: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["TAKEN", "FREE"])
    kind = "wagtail_triggers.engine.jobs.kinds.coupon.new_code"
    monkeypatch.setattr(kind, lambda prefix: next(codes))
    buyers(1)
    job = Job.objects.get()
    spec = CouponSpec("percent", None, "", None, job.created_at, owner="other")
    memory_coupons.issued["TAKEN"] = spec
    run_until_idle()
    assert jobs("state", "reference") == [("done", "FREE")]
    assert Job.objects.get().result["code"] == "FREE"
    assert memory_coupons.issued["TAKEN"] is spec


def test_person_who_has_a_coupon_of_the_step_gets_that_one_again(
    plan: Journey, clock: FrozenClock
) -> None:
    who = Who(user_id=7, email="p7@example.com")
    for number, later in enumerate((timedelta(), DAY, 4 * DAY, 2 * DAY)):
        clock.travel(later)
        order(f"n{number}", line(), who=who)
        run_until_idle()
    codes = [result["code"] for result in jobs("result")]
    # On the fifth day it still holds for two; on the seventh it has ended.
    assert codes[0] == codes[1] == codes[2] != codes[3]
    assert len(memory_coupons.asked) == 2
    assert jobs("state") == ["done"] * 4


def test_person_in_two_runs_at_once_gets_one_coupon(plan: Journey, clock: FrozenClock) -> None:
    who = Who(user_id=7, email="p7@example.com")
    order("a", line(), who=who)
    order("b", line(), who=who)
    run_until_idle()
    clock.travel(MINUTE)
    run_until_idle()
    assert jobs("state") == ["done", "done"]
    assert len(memory_coupons.asked) == 1


def test_coupons_that_are_not_reused_differ_from_run_to_run() -> None:
    forked({**COUPON, "reuse": False}, {"next": [], "failed": []})
    who = Who(user_id=7, email="p7@example.com")
    order("a", line(), who=who)
    order("b", line(), who=who)
    run_until_idle()
    assert len(set(memory_coupons.asked)) == 2


def test_shop_without_a_provider_waits_for_one_until_it_is_too_late(
    plan: Journey, settings: Settings, clock: FrozenClock
) -> None:
    settings.WAGTAIL_TRIGGERS_COUPONS = {}
    buyers(1)
    work_batch()
    assert jobs("state") == ["planned"]
    assert "WAGTAIL_TRIGGERS_COUPONS" in jobs("reason")[0]
