"""F18: an order is cancelled between the moment a letter about it is planned and its hand-over.

Every other cancellation is told by an event; of the rest only the shop itself knows, which is asked
just before a letter leaves, and which is slow, or does not answer, now and then.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import ClassVar
from unittest import mock

from django.test import override_settings

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.shop import journey, line, order, template, topic, total
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import shop as live
from wagtail_triggers.core.shop import OrderNow, ShopAdapter
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.policies.truth import ORDER_CANCELLED

SCENARIO = Scenario(
    name="F18",
    title="an order is cancelled after the letter about it was planned, with an event or without",
    promise=(
        "no letter about the order passes the guards once its cancellation is stored, routed or "
        "not; where only the shop knows of it, none later than its answer may be old; while the "
        "shop is silent no marketing leaves, and receipts do"
    ),
    broken="the guards that look for news of the person and of the order, and asking the shop",
    small=200,
    broken_small=100,
    full=5_000,
)
#: How old an answer of the shop may be here: in the 10 s of the product all would be over.
MAX_AGE = 0.5
#: Between the answer's last moment and the hand-over that it allowed: a lock, and two statements.
GRACE = timedelta(seconds=3)


class SlowShop(ShopAdapter):
    """Knows which orders are cancelled. It takes its time, and now and then fails."""

    remote: ClassVar[bool] = True
    cancelled: ClassVar[set[str]] = set()
    chance: ClassVar[random.Random] = random.Random(2)
    lock: ClassVar[threading.Lock] = threading.Lock()
    asked: ClassVar[int] = 0
    silent: ClassVar[int] = 0

    def orders(self, ids: Collection[str], *, timeout: float) -> Mapping[str, OrderNow]:
        """Answer as of the moment at which the answer is ready."""
        with self.lock:
            type(self).asked += 1
            roll = self.chance.random()
        time.sleep(roll / 20)
        if roll < 0.1:
            type(self).silent += 1
            raise ConnectionError("the shop is restarted")
        gone = self.cancelled
        return {one: OrderNow("cancelled" if one in gone else "placed") for one in ids}


def run(chaos: Chaos) -> Report:
    """Ask every buyer for a review, while every buyer cancels."""
    soft = topic("reviews", consent=Topic.Consent.SOFT)
    review = template("How was it?", kind=MessageClass.MARKETING, topic=soft)
    ends = [{"event": "order_cancelled", "match": "same_object", "converts": False}]
    entry = {"kind": "entry", "event": "order_placed"}
    journey("Receipt", [entry, {"kind": "send", "template": template("Receipt")}])
    journey("Review", [entry, {"kind": "send", "template": review}], goals=ends)
    report = chaos.report()
    guarded = ("unrouted_events", "run_left", "order_undone")
    SlowShop.chance = chaos.chance
    names = [f"b{number}" for number in range(chaos.messages)]
    asking = {} if chaos.broken else {"BACKEND": f"{__name__}.SlowShop"}
    with (
        races.provider() as passed,
        races.without(*guarded, when=chaos.broken),
        override_settings(WAGTAIL_TRIGGERS_SHOP=asking),
        _older_than(MAX_AGE),
    ):
        for name in names:
            order(name, line(), who=Who(user_id=name, email=f"{name}@example.com"))
        drain(route_batch, seconds=600)
        drain(run_due, seconds=600)
        committed, _took = races.race(names, _cancel, chaos.chance)
        races.finish()
        moments = dict(zip(names, committed, strict=True))
        report.count(2 * len(names), races.deliveries())
    _judge(report, passed, moments, chaos)
    return report


def _judge(
    report: Report, passed: list[races.Passed], moments: dict[str, datetime], chaos: Chaos
) -> None:
    names = {
        pk: email.partition("@")[0] for pk, email in Contact.objects.values_list("pk", "email")
    }
    limit = timedelta(seconds=MAX_AGE) + GRACE
    told = [one for one in passed if one.marketing and _is_told(names[one.contact])]
    quiet = [one for one in passed if one.marketing and not _is_told(names[one.contact])]
    late = [one for one in told if one.moment > moments[names[one.contact]]]
    later = [one for one in quiet if one.moment > moments[names[one.contact]] + limit]
    # The shop says of an order that it is cancelled, and no event has: no receipt for it either.
    kept = Message.objects.filter(message_class="transactional").exclude(state="accepted")
    wrongly = [
        row for row in kept if row.reason != ORDER_CANCELLED or _is_told(names[row.contact_id])
    ]
    before = len(told) + len(quiet) - len(late) - len(later)
    report.extra |= {
        "passed after the event was stored": len(late),
        f"passed over {limit.total_seconds():g} s after the shop knew": len(later),
        "passed before": before,
        "receipts for orders that the shop had cancelled": kept.count(),
        "the shop was asked": f"{SlowShop.asked} times, silent {SlowShop.silent}",
    }
    report.demand(not late, "nothing passes after the cancellation is stored")
    report.demand(not later, "nothing passes once the shop has had to be asked again")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(not wrongly, "receipts leave all the same, in silence too")
    report.demand(0 < before < len(moments) or chaos.broken, "it was a race, not a walk-over")
    report.demand(SlowShop.silent > 0 or chaos.broken, "the shop was silent now and then")


def _older_than(seconds: float) -> ExitStack:
    """Answers of the shop are trusted for so long."""
    stack = ExitStack()
    for module in (live, sender):
        stack.enter_context(mock.patch.object(module, "MAX_AGE", seconds))
    return stack


def _is_told(name: str) -> bool:
    """Whether an event tells of this buyer's cancellation; of the others only the shop knows."""
    return int(name[1:]) % 2 == 0


def _cancel(name: str) -> None:
    give_up = time.monotonic() + 30
    while not any(one.marketing for one in races.TimedChannel.passed):
        if time.monotonic() > give_up:
            break
        time.sleep(0.005)  # let some be first, or there is no race
    if not _is_told(name):
        SlowShop.cancelled.add(name)
        return
    payload = {"order_id": name, "number": f"#{name}", "lines": [line()], "total": total([line()])}
    who = Who(user_id=name, email=f"{name}@example.com")
    track("order_cancelled", contact=who, key=name, payload=payload)
