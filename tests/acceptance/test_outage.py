"""Two days of nobody working, and carts that waited (`TRIGGERS_OUTAGE_CARTS`: how many)."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Min

from tests.concurrency.people import people
from tests.integration.campaigns import rules
from tests.shop import cart, journey, line, template, topic
from wagtail_triggers.api import Who
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine import intents
from wagtail_triggers.engine.scheduler import work_through
from wagtail_triggers.events.models import Cart
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.policies import arbiter
from wagtail_triggers.messages.policies.collapse import OVERDUE

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(7200)]

CARTS = int(os.environ.get("TRIGGERS_OUTAGE_CARTS", "90"))
#: Each person has so many carts.
EACH = 3
LIMIT = max(9, CARTS // 12)
OUTAGE, WORTH = timedelta(hours=48), timedelta(hours=24)


@dataclass(frozen=True)
class Recovery:
    """What became of the carts."""

    sent: int
    stale: int
    unaccounted: int
    peak: int
    twice: int


def prepare(clock: FrozenClock) -> None:
    """A reminder of carts, and carts that will be abandoned during the outage, one by one."""
    rules(weekly=None)
    about = topic("carts", Topic.Consent.SOFT)
    key = template("Your cart", kind=MessageClass.MARKETING, topic=about)
    journey("Carts", [
        {"kind": "entry", "event": "cart_abandoned"}, {"kind": "send", "template": key},
    ])  # fmt: skip
    cart("one", line(), who=Who(email="one@example.com"))
    work_through()
    Cart.objects.all().delete()
    rows = people(CARTS // EACH)
    every = OUTAGE / CARTS
    Cart.objects.bulk_create(
        Cart(
            site_id=row.site_id, cart_id=f"{row.pk}-{number}", contact=row, items=1,
            payload={"cart_id": f"{row.pk}-{number}", "lines": [line()]},
            updated_at=clock.moment, abandon_at=clock.moment + (place * EACH + number) * every,
        )
        for place, row in enumerate(rows) for number in range(EACH)
    )  # fmt: skip


def recover(clock: FrozenClock, outbox: list[Outgoing]) -> Recovery:
    """Let workers tick every five seconds until nothing waits, and judge what they sent."""
    clock.travel(OUTAGE)
    moments: list[datetime] = []
    for _tick in range(4_000):
        work_through(seconds=3600)
        moments += [clock.moment] * (len(outbox) - len(moments))
        if not Message.objects.filter(state__in=Message.WAITING).exists():
            break
        clock.travel(timedelta(seconds=5))
    begun = {
        str(row[0]): row[1]
        for row in Message.objects.values_list("public_id", "event__occurred_at")
    }
    stale = sum(
        at - begun[one.idempotency_key] > WORTH + timedelta(seconds=1)
        for at, one in zip(moments, outbox, strict=True)
    )
    minute = timedelta(minutes=1)
    peak = max(
        (sum(at - minute < other <= at for other in moments) for at in {*moments}), default=0
    )
    # Whoever left their first cart a moment before the workers came back has missed nothing.
    first = Message.objects.values_list("contact__email").annotate(at=Min("event__occurred_at"))
    late = {address for address, at in first if at <= moments[0] - OVERDUE}
    persons = Counter(one.address for one in outbox if one.address in late)
    ended = Message.objects.filter(state__in=Message.TERMINAL).exclude(reason="", state="skipped")
    unaccounted = CARTS - ended.count()
    return Recovery(len(outbox), stale, unaccounted, peak, sum(n - 1 for n in persons.values()))


def _fresh(row: Any, event: Any, moment: datetime) -> datetime:
    return moment


def _nothing_gone(rows: Any, moment: datetime) -> set[int]:
    return set()


@pytest.mark.parametrize(
    ("without", "shows"),
    [("", ""), ("age", "stale"), ("ramp", "peak"), ("collapse", "twice")],
)
def test_outage_of_two_days_ends_without_a_flood_and_nobody_gets_two(
    clock: FrozenClock,
    outbox: list[Outgoing],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    without: str,
    shows: str,
) -> None:
    settings.WAGTAIL_TRIGGERS_CATCH_UP_RATE = f"{LIMIT}/min"
    if without == "age":
        monkeypatch.setattr(intents, "_due", _fresh)
    elif without == "ramp":
        settings.WAGTAIL_TRIGGERS_CATCH_UP_RATE = ""
    elif without == "collapse":
        monkeypatch.setattr(arbiter, "superseded", _nothing_gone)
    prepare(clock)
    begun = time.monotonic()
    found = recover(clock, outbox)
    expired = Message.objects.filter(state="expired").count()
    cancelled = Message.objects.filter(state="cancelled").count()
    print(f"\noutage 48 h without {without or 'nothing'}: carts={CARTS} sent={found.sent} "
          f"expired={expired} collapsed={cancelled} stale sent={found.stale} "
          f"unaccounted={found.unaccounted} peak={found.peak}/min limit={LIMIT} "
          f"second mails={found.twice} seconds={time.monotonic() - begun:.0f}")  # fmt: skip
    kept = {"stale": found.stale == 0, "peak": found.peak <= LIMIT, "twice": found.twice == 0}
    assert found.unaccounted == 0
    assert found.sent > 0
    if shows:
        assert not kept[shows]
    else:
        assert all(kept.values()), kept
        assert expired > 0
