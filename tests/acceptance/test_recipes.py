# ruff: noqa: RUF001 - Chinese has punctuation of its own, and Russian writes a real minus
"""Each recipe does what its card says: who gets which letter when, and who does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from tests.acceptance.recipe_stage import (
    LANGUAGES,
    LONGEST,
    Stage,
    agreed,
    cart,
    happens,
    in_force,
    order,
    persons,
)
from wagtail_triggers.api import Who, unsubscribe
from wagtail_triggers.core import memory_coupons
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: From noon, when everything begins, to ten o'clock of the next day.
TO_TEN = timedelta(hours=22)

Expected = list[tuple[str, timedelta]]


@pytest.fixture
def stage(clock: FrozenClock, outbox: list[Outgoing], settings: Settings) -> Iterator[Stage]:
    settings.WAGTAIL_TRIGGERS_COUPONS = {
        "BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"
    }
    memory_coupons.clear()
    stage = Stage(clock, outbox)
    yield stage
    for mail in stage.outbox:
        whole = f"{mail.subject}\n{mail.text}\n{mail.html}"
        assert "None" not in whole
        assert "{{" not in whole
        assert "{%" not in whole
        assert len(mail.html.encode()) < LONGEST
        assert "Ada" in whole or "Hello," not in whole


def subscribed(*people: Who) -> None:
    for who in people:
        agreed(who)


def everybody(*steps: tuple[str, timedelta], tag: str = "") -> dict[str, Expected]:
    return {f"{code}{tag}": list(steps) for code in LANGUAGES}


def subjects(stage: Stage, address: str) -> list[str]:
    return [one.subject for one in stage.outbox if one.address == f"{address}@example.com"]


def test_three_reminders_come_after_an_hour_a_day_and_three_days_and_never_once_it_is_bought(
    stage: Stage,
) -> None:
    in_force("cart-three-reminders")
    left, buyers, leavers = persons(), persons("-buys"), persons("-leaves")
    subscribed(*left, *buyers, *leavers)
    stage.at(0 * HOUR, *(cart(who) for who in (*left, *buyers, *leavers)))
    stage.at(2 * HOUR, *(order(who) for who in buyers))
    stage.at(3 * HOUR, *((lambda who=who: unsubscribe(who, "cart-reminders")) for who in leavers))
    stage.play(30 * DAY)
    assert stage.sent() == {
        **everybody(("hour", HOUR), ("day", HOUR + DAY), ("three-days", HOUR + 3 * DAY)),
        **everybody(("hour", HOUR), tag="-buys"),
        **everybody(("hour", HOUR), tag="-leaves"),
    }
    assert subjects(stage, "en") == [
        "Gong Fu teapot: shall we keep it for you?",
        "A little something off your cart",
        "Last call for your cart",
    ]
    assert subjects(stage, "zh-hans")[0] == "Gong Fu teapot，还在购物车里等您"
    assert subjects(stage, "ru")[2] == "Последний звонок для вашей корзины"
    day = next(m for m in stage.outbox if m.subject == "A little something off your cart")
    codes = {spec.email: code for code, spec in memory_coupons.issued.items()}
    assert codes["en@example.com"] in day.text
    assert set(codes) == {who.email for who in (*left, *leavers)}
    converted = Enrolment.objects.filter(state=Enrolment.State.CONVERTED)
    assert {run.contact.email for run in converted} == {who.email for who in buyers}


def test_three_reminders_without_a_coupon_still_remind_and_promise_nothing(stage: Stage) -> None:
    from wagtail_triggers.core.coupons import Creation
    from wagtail_triggers.core.http import Fate

    in_force("cart-three-reminders")
    (who, *_others) = persons()
    subscribed(who)
    memory_coupons.script([Creation(Fate.REFUSED, detail="sold out")])
    stage.at(0 * HOUR, cart(who))
    stage.play(10 * DAY)
    assert subjects(stage, "en")[1:] == ["Still thinking it over?", "Last call for your cart"]
    assert "%" not in stage.outbox[1].text
    assert "code" not in stage.outbox[1].text.lower()


def test_free_delivery_follows_a_day_after_the_reminder(stage: Stage) -> None:
    in_force("cart-free-shipping")
    left, buyers = persons(), persons("-buys")
    subscribed(*left, *buyers)
    stage.at(0 * HOUR, *(cart(who) for who in (*left, *buyers)))
    stage.at(20 * HOUR, *(order(who) for who in buyers))
    stage.play(20 * DAY)
    assert stage.sent() == {
        **everybody(("reminder", HOUR), ("offer", HOUR + DAY)),
        **everybody(("reminder", HOUR), tag="-buys"),
    }
    assert {spec.discount for spec in memory_coupons.issued.values()} == {"free_shipping"}
    assert subjects(stage, "zh-hans")[1] == "这一单，运费我们包了"


def test_same_letter_comes_after_three_hours_and_next_morning_with_an_offer(stage: Stage) -> None:
    in_force("cart-same-letter-with-offer")
    left, buyers, emptied = persons(), persons("-buys"), persons("-empties")
    subscribed(*left, *buyers, *emptied)
    stage.at(0 * HOUR, *(cart(who) for who in (*left, *buyers, *emptied)))
    stage.at(1 * HOUR, *(cart(who, lines=[], total=None) for who in emptied))
    stage.at(5 * HOUR, *(order(who) for who in buyers))
    stage.play(20 * DAY)
    assert stage.sent() == {
        **everybody(("plain", 3 * HOUR), ("offer", TO_TEN)),
        **everybody(("plain", 3 * HOUR), tag="-buys"),
    }
    assert subjects(stage, "ru") == ["Gong Fu teapot", "−10 %: Gong Fu teapot"]


def test_welcome_comes_at_once_its_gift_next_day_and_ends_with_the_first_order(
    stage: Stage,
) -> None:
    in_force("welcome-series")
    new, buyers, silent = persons(), persons("-buys"), persons("-silent")
    subscribed(*new, *buyers)
    stage.at(0 * HOUR, *(happens("user_registered", who) for who in (*new, *buyers, *silent)))
    stage.at(2 * DAY, *(order(who) for who in buyers))
    stage.play(30 * DAY)
    assert stage.sent() == {
        **everybody(("hello", 0 * HOUR), ("gift", DAY), ("reminder", 5 * DAY)),
        **everybody(("hello", 0 * HOUR), ("gift", DAY), tag="-buys"),
        **everybody(("hello", 0 * HOUR), tag="-silent"),  # no consent, no marketing
    }
    assert subjects(stage, "en") == [
        "Welcome to Test Shop, Ada", "10 % off your first order", "Your code is still waiting",
    ]  # fmt: skip
    assert subjects(stage, "zh-hans")[0] == "Ada，欢迎来到 Test Shop"


def test_order_is_confirmed_at_once_and_the_offer_needs_consent_and_an_order_that_stands(
    stage: Stage,
) -> None:
    in_force("order-confirmation")
    readers, cancelling, silent = persons(), persons("-cancels"), persons("-silent")
    subscribed(*readers, *cancelling)
    stage.at(0 * HOUR, *(order(who) for who in (*readers, *cancelling, *silent)))
    stage.at(30 * MINUTE, *(order(who, "order_cancelled") for who in cancelling))
    stage.play(10 * DAY)
    assert stage.sent() == {
        **everybody(("confirmation", 0 * HOUR), ("offer", HOUR)),
        **everybody(("confirmation", 0 * HOUR), tag="-cancels"),
        **everybody(("confirmation", 0 * HOUR), tag="-silent"),
    }
    confirmation = stage.outbox[0]
    assert "Gong Fu teapot" in confirmation.text
    assert subjects(stage, "ru")[0] == "Спасибо! Заказ 2026-1 принят"


def test_founder_thanks_once_the_morning_after_the_first_order(stage: Stage) -> None:
    in_force("founder-thank-you")
    people = persons()
    stage.at(0 * HOUR, *(order(who) for who in people))
    stage.at(3 * DAY, *(order(who, number="2") for who in people))
    stage.play(10 * DAY)
    assert stage.sent() == everybody(("note", TO_TEN))
    assert subjects(stage, "en") == ["Ada, a word of thanks"]


def test_shipping_notice_says_when_with_whom_and_where_to_follow_it(stage: Stage) -> None:
    in_force("shipping-notice")
    told, plain = persons(), persons("-plain")
    more = {
        "tracking_number": "0034", "tracking_url": "https://carrier.example/0034",
        "carrier": "DHL", "expected_on": "2026-05-06",
    }  # fmt: skip
    stage.at(0 * HOUR, *(order(who, "order_shipped", **more) for who in told))
    stage.at(0 * HOUR, *(order(who, "order_shipped") for who in plain))
    stage.play(5 * DAY)
    assert stage.sent() == {
        **everybody(("shipped", 0 * HOUR)),
        **everybody(("shipped", 0 * HOUR), tag="-plain"),
    }
    texts = {mail.address.partition("@")[0]: mail.text for mail in stage.outbox}
    for code, words in (("en", "May 6, 2026"), ("ru", "6 мая 2026"), ("zh-hans", "2026年5月6日")):
        assert words in texts[code]
        assert "https://carrier.example/0034" in texts[code]
        assert "DHL" in texts[code]
        assert "0034" not in texts[f"{code}-plain"]
        assert "carrier" not in texts[f"{code}-plain"]


def test_after_the_purchase_come_tips_matches_and_a_request_each_in_its_time(stage: Stage) -> None:
    in_force("post-purchase-series")
    people, refunded, silent = persons(), persons("-refund"), persons("-late")
    subscribed(*people, *refunded, *silent)
    stage.at(0 * HOUR, *(order(who, "order_shipped") for who in (*people, *refunded, *silent)))
    stage.at(2 * DAY, *(order(who, "order_delivered") for who in (*people, *refunded)))
    stage.at(5 * DAY, *(order(who, "order_refunded") for who in refunded))
    stage.play(60 * DAY)
    late = 7 * DAY  # nobody said that it was delivered
    assert stage.sent() == {
        **everybody(("thanks", 0 * HOUR), ("tips", 4 * DAY), ("matching", 11 * DAY),
                    ("review", 18 * DAY)),
        **everybody(("thanks", 0 * HOUR), ("tips", 4 * DAY), tag="-refund"),
        **everybody(("thanks", 0 * HOUR), ("tips", late + 2 * DAY), ("matching", late + 9 * DAY),
                    ("review", late + 16 * DAY), tag="-late"),
    }  # fmt: skip
    assert subjects(stage, "zh-hans")[3] == "用得还满意吗？"


def test_related_goods_come_now_and_after_two_and_three_weeks_until_the_next_order(
    stage: Stage,
) -> None:
    in_force("post-purchase-related")
    people, again = persons(), persons("-again")
    subscribed(*people, *again)
    stage.at(0 * HOUR, *(order(who) for who in (*people, *again)))
    stage.at(5 * DAY, *(order(who, number="2") for who in again))
    stage.play(60 * DAY)
    assert stage.sent() == {
        **everybody(("now", HOUR), ("after-two", HOUR + 14 * DAY),
                    ("after-three", HOUR + 21 * DAY)),
        # The second order ends the run of the first, and has a run of its own.
        **everybody(("now", HOUR), ("now", HOUR + 5 * DAY), ("after-two", HOUR + 19 * DAY),
                    ("after-three", HOUR + 26 * DAY), tag="-again"),
    }  # fmt: skip


def test_review_is_asked_for_in_two_ways_once_more_and_no_more_after_it_came(stage: Stage) -> None:
    in_force("review-request")
    people = [*persons(), *persons("-a"), *persons("-b"), *persons("-c")]
    writers = persons("-writes")
    subscribed(*people, *writers)
    stage.at(0 * HOUR, *(order(who, "order_delivered") for who in (*people, *writers)))
    stage.at(12 * DAY, *(happens("review_posted", who, "T-1", sku="T-1") for who in writers))
    stage.play(60 * DAY)
    sent = stage.sent()
    for who in people:
        (how, when), *rest = sent[who.email.partition("@")[0]]
        assert (when, rest) == (10 * DAY, [("reminder", 17 * DAY)])
        assert how in {"help", "prize"}
    assert {steps[0][0] for steps in sent.values()} == {"help", "prize"}
    assert [len(sent[who.email.partition("@")[0]]) for who in writers] == [1, 1, 1]


def test_letter_comes_again_only_to_those_who_did_not_open_it(stage: Stage) -> None:
    in_force("resend-to-non-openers")
    people, openers, leavers = persons(), persons("-opens"), persons("-leaves")

    def opened() -> None:
        for who in openers:
            letter = Message.objects.get(contact__email=who.email, node="first")
            happens("message_opened", who, str(letter.public_id), message_id=str(letter.public_id),
                    run=letter.enrolment_id, node="first")()  # fmt: skip

    stage.at(0 * HOUR, *((lambda who=who: agreed(who)) for who in (*people, *openers, *leavers)))
    stage.at(2 * DAY, opened)
    stage.at(2 * DAY, *((lambda who=who: unsubscribe(who, "news")) for who in leavers))
    stage.play(20 * DAY)
    assert stage.sent() == {
        **everybody(("first", DAY), ("second", 4 * DAY)),
        **everybody(("first", DAY), tag="-opens"),
        **everybody(("first", DAY), tag="-leaves"),
    }
    assert len(set(subjects(stage, "en"))) == 2


def test_forgotten_things_are_asked_about_on_the_second_morning_and_once_a_month(
    stage: Stage,
) -> None:
    in_force("did-you-forget")
    people, again = persons(), persons("-again")
    subscribed(*people, *again)
    stage.at(0 * HOUR, *(order(who) for who in (*people, *again)))
    stage.at(1 * DAY, *(order(who, number="2") for who in again))
    stage.at(10 * DAY, *(order(who, number="3") for who in people))
    stage.play(25 * DAY)
    assert stage.sent() == everybody(("forgot", TO_TEN + DAY))
    assert subjects(stage, "en") == ["Did you forget something to go with Gong Fu teapot?"]
