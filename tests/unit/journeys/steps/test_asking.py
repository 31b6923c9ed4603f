"""Webhook, coupon, human task: what they ask for, and how they go on by the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from pytest_django import Settings

from wagtail_triggers.journeys.steps.base import Answer, Step
from wagtail_triggers.journeys.steps.coupon import CouponSettings, CouponStep
from wagtail_triggers.journeys.steps.decisions import Advance, Ask
from wagtail_triggers.journeys.steps.human_task import HumanTaskSettings, HumanTaskStep
from wagtail_triggers.journeys.steps.webhook import WebhookSettings, WebhookStep

from ..world import NOON, World, event, run

DAY = timedelta(days=1)
WEEK = {"amount": 7, "unit": "days"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def webhook(**more: Any) -> WebhookStep:
    return WebhookStep(WebhookSettings.model_validate({"endpoint": "erp", **more}))


def coupon(**more: Any) -> CouponStep:
    worth = {"discount": "percent", "value": "10", "valid_for": WEEK}
    return CouponStep(CouponSettings.model_validate({**worth, **more}))


def task(**more: Any) -> HumanTaskStep:
    wanted = {"title": "Check", "deadline": {"amount": 2, "unit": "days"}}
    return HumanTaskStep(HumanTaskSettings.model_validate({**wanted, **more}))


@pytest.mark.parametrize("step", [webhook(), coupon()], ids=["webhook", "coupon"])
@pytest.mark.parametrize(
    ("later", "answer", "decision"),
    [
        (DAY, Answer("x", "done", {"code": "A"}), Advance("next")),
        (timedelta(), Answer("x", "done"), Advance("next")),
        (timedelta(), Answer("x", "failed", reason="HTTP 403"), Advance("failed", "HTTP 403")),
        (timedelta(), Answer("x", "cancelled", reason="gone"), Advance("failed", "gone")),
        (DAY, Answer("x", "pending"),
         Advance("failed", "There was no answer until it was too late.")),
    ],
)  # fmt: skip
def test_asking_step_goes_on_by_the_answer(
    step: Step[Any], later: timedelta, answer: Answer, decision: Advance
) -> None:
    assert step.decide(run(moment=NOON + later, waiting=True, answer=answer)) == decision


@pytest.mark.parametrize("step", [webhook(), coupon(), task()], ids=["webhook", "coupon", "task"])
def test_asking_step_asks_again_while_the_answer_is_pending(step: Step[Any]) -> None:
    first = step.decide(run())
    again = step.decide(run(waiting=True, answer=Answer("x", "pending")))
    assert isinstance(first, Ask)
    assert first == again


@pytest.mark.parametrize("step", [webhook(), coupon(), task()], ids=["webhook", "coupon", "task"])
def test_asking_step_asks_even_if_it_comes_to_it_late(step: Step[Any]) -> None:
    """A run that was held for days, or moved here, has not been answered by anybody."""
    assert isinstance(step.decide(run(moment=NOON + 9 * DAY)), Ask)


def test_deadline_is_moved_on_by_a_pause_whose_clocks_stood_still() -> None:
    got = task().decide(run(stood_still=DAY))
    assert isinstance(got, Ask)
    assert got.until == NOON + 3 * DAY


def test_webhook_data_are_the_chosen_facts_that_are_known_and_the_event() -> None:
    began = event("order_placed", {"order_id": "77"}, "order:77")
    person = {"email": "a@example.com", "orders_count": 0, "language": "de", "phone": None}
    step = webhook(facts=["email", "orders_count", "phone"], values={"vip": True}, type="a.b")
    got = step.decide(run(contact=person, event=began, node="w", journey_id=4))
    assert isinstance(got, Ask)
    assert (got.kind, got.until) == ("webhook", NOON + DAY)
    assert got.data == {
        "endpoint": "erp",
        "body": {
            "type": "a.b",
            "timestamp": NOON,
            "data": {
                "journey": 4,
                "run": 1,
                "step": "w",
                "about": "cart:12",
                "values": {"vip": True},
                "contact": {"email": "a@example.com", "orders_count": 0},
                "event": {"name": "order_placed", "occurred_at": NOON, "data": {"order_id": "77"}},
            },
        },
    }


def test_webhook_problems_name_the_endpoint_and_the_fact(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_WEBHOOKS = {"crm": {"URL": "http://x.example", "SECRET": SECRET}}

    def found(**more: Any) -> list[tuple[str, str]]:
        return [(one.field, one.message) for one in webhook(**more).problems(World(), frozenset())]

    assert found() == [("endpoint", "There is no webhook “erp”. Known are: crm.")]
    (problem,) = found(endpoint="crm")
    assert problem[0] == "endpoint"
    assert "https" in problem[1]
    settings.WAGTAIL_TRIGGERS_WEBHOOKS = {"erp": {"URL": "https://x.example", "SECRET": SECRET}}
    assert found(facts=["orders_count"]) == []
    (problem,) = found(facts=["orders_cuont"])
    assert problem[0] == "facts"
    assert "orders_count" in problem[1]


def test_coupon_data_say_what_it_is_worth_and_when_it_ends() -> None:
    step = coupon(discount="amount", value=5, currency="EUR", minimum="50.00", prefix="HI")
    got = step.decide(run(contact={"email": "a@example.com"}))
    assert isinstance(got, Ask)
    assert got.data == {
        "discount": "amount",
        "value": "5",
        "currency": "EUR",
        "minimum": "50.00",
        "expires_at": datetime(2026, 5, 8, 12, tzinfo=UTC).isoformat(),
        "prefix": "HI",
        "reuse": True,
        "email": "a@example.com",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": None}, {"value": 0}, {"value": -1}, {"value": 101}, {"value": "1.234"},
        {"discount": "amount"}, {"discount": "free_shipping"}, {"discount": "gift"},
        {"minimum": 20}, {"currency": "eur"}, {"prefix": "spring"}, {"prefix": "A B"},
        {"prefix": "X" * 13}, {"valid_for": None}, {"code": "FIXED"},
    ],
)  # fmt: skip
def test_coupon_settings_out_of_form_are_refused(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        coupon(**wrong)


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({}, "Make a coupon: 10 % off, valid for 7 days"),
        ({"discount": "free_shipping", "value": None},
         "Make a coupon: free shipping, valid for 7 days"),
        ({"discount": "amount", "value": "5.00", "currency": "EUR", "minimum": 50},
         "Make a coupon: 5.00 EUR off, valid for 7 days, on orders of 50 EUR or more"),
    ],
)  # fmt: skip
def test_coupon_in_words_says_what_it_is_worth(settings_: dict[str, Any], words: str) -> None:
    assert coupon(**settings_).describe(World()) == words


def test_coupon_without_a_shop_that_makes_it_is_a_problem(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_COUPONS = {}
    (problem,) = coupon().problems(World(), frozenset())
    assert "WAGTAIL_TRIGGERS_COUPONS" in problem.message
    settings.WAGTAIL_TRIGGERS_COUPONS = {"BACKEND": "x"}
    assert list(coupon().problems(World(), frozenset())) == []


def test_task_ports_are_the_choices_and_the_timeout() -> None:
    assert [port.name for port in task().ports()] == ["approve", "decline", "timeout"]
    own = task(choices=[{"name": "call", "label": "Call them"}])
    assert [(port.name, str(port.label)) for port in own.ports()] == [
        ("call", "Call them"),
        ("timeout", "Nobody decided in time"),
    ]


def test_task_goes_the_way_that_somebody_chose_also_after_the_deadline() -> None:
    answer = Answer("human_task", "done", {"choice": "decline", "by": "Ada", "note": "Too far"})
    for later in (timedelta(), 3 * DAY):
        got = task().decide(run(moment=NOON + later, waiting=True, answer=answer))
        assert got == Advance("decline", note="Decline (Ada): Too far")


def test_task_that_nobody_decides_times_out_at_its_deadline() -> None:
    pending = Answer("human_task", "pending")

    def at(later: timedelta) -> object:
        return task().decide(run(moment=NOON + later, waiting=True, answer=pending))

    assert isinstance(at(2 * DAY - timedelta(seconds=1)), Ask)
    assert at(2 * DAY) == Advance("timeout", note="Nobody decided in time.")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""}, {"deadline": None}, {"choices": []},
        {"choices": [{"name": f"c{n}", "label": "x"} for n in range(6)]},
        {"choices": [{"name": "a", "label": "x"}, {"name": "a", "label": "y"}]},
        {"choices": [{"name": "timeout", "label": "x"}]},
        {"choices": [{"name": "Not ok", "label": "x"}]},
    ],
)  # fmt: skip
def test_task_settings_out_of_form_are_refused(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        task(**wrong)


def test_task_takes_time_and_the_others_do_not_surely() -> None:
    assert (HumanTaskStep.takes_time, WebhookStep.takes_time, CouponStep.takes_time) == (
        True,
        False,
        False,
    )
