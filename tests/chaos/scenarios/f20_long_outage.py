"""F20: nobody works for 48 hours; then everything is overdue at once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.test import override_settings

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.shop import journey, line, template, topic, total
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.core import clock
from wagtail_triggers.engine.scheduler import work_through
from wagtail_triggers.messages.models import Message, MessageClass

SCENARIO = Scenario(
    name="F20",
    title="an outage of 48 h with waiting carts, and the morning after",
    promise=(
        "what is too late expires and is counted, nothing of it is sent; the rest leaves under the "
        "catch-up rate, at most one letter for each person and journey"
    ),
    broken="no expiry and no rate",
    small=120,
    broken_small=60,
    full=5_000,
)
OUTAGE = timedelta(hours=48)
IDLE, STALE = timedelta(minutes=60), timedelta(hours=24)
TICK = timedelta(seconds=5)


def run(chaos: Chaos) -> Report:
    """Let carts be left at all hours of an outage, two for each person, and begin to work."""
    soft = topic("carts", consent=Topic.Consent.SOFT)
    reminder = template("Your cart", kind=MessageClass.MARKETING, topic=soft)
    journey("Carts", [{"kind": "entry", "event": "cart_abandoned"},
                      {"kind": "send", "template": reminder}])  # fmt: skip
    most = 30 if chaos.plan.small else 600
    rate = "" if chaos.broken else f"{most}/min"
    began = clock.now()
    report = chaos.report()
    with (
        clock.frozen(began) as now,
        races.provider() as passed,
        races.without("expired", when=chaos.broken),
        override_settings(
            WAGTAIL_TRIGGERS_CATCH_UP_RATE=rate, WAGTAIL_TRIGGERS_CART_IDLE_MINUTES=60
        ),
    ):
        left = _carts(chaos, began)
        now.travel(OUTAGE + IDLE)
        back = now.moment
        for _tick in range(12 * 60 * 6):
            work_through(seconds=600)
            if _done(len(left)):
                break
            now.travel(TICK)
        report.count(len(left), races.deliveries())
        report.extra["caught up after"] = f"{(now.moment - back).total_seconds() / 60:.1f} min"
    _judge(report, passed, left, most)
    return report


def _carts(chaos: Chaos, began: datetime) -> dict[str, datetime]:
    """When each cart was touched last, by its id: at any time of the outage."""
    left = {}
    for number in range(chaos.messages):
        cart = f"c{number}"
        at = began + OUTAGE * chaos.chance.random()
        lines = [line()]
        payload = {"cart_id": cart, "lines": lines, "total": total(lines)}
        name = f"p{number // 2}"
        who = Who(user_id=name, email=f"{name}@example.com")
        with clock.frozen(at):
            track("cart_updated", contact=who, key=cart, payload=payload, occurred_at=at)
        left[cart] = at
    return left


def _done(expected: int) -> bool:
    rows = Message.objects.all()
    return rows.count() >= expected and not rows.exclude(state__in=Message.TERMINAL).exists()


def _judge(
    report: Report, passed: list[races.Passed], left: dict[str, datetime], most: int
) -> None:
    carts = {str(key): cart for key, cart in Message.objects.values_list("public_id", "subject_id")}
    stale = sum(one.moment >= left[carts[one.key]] + IDLE + STALE for one in passed)
    people = Counter(one.contact for one in passed)
    peak = _peak([one.moment for one in passed])
    report.extra |= {
        "expired letters sent": stale,
        "letters in the busiest minute": f"{peak} (at most {most})",
        "people with more than one": sum(count > 1 for count in people.values()),
        "reasons": dict(Counter(Message.objects.values_list("reason", flat=True))),
    }
    report.demand(stale == 0, "nothing is sent that is too late")
    report.demand(peak <= most, "the catch-up rate is kept")
    report.demand(max(people.values(), default=0) == 1, "one letter for each person and journey")
    report.demand(report.duplicates == 0, "nothing comes twice")


def _peak(moments: list[datetime]) -> int:
    """The most of any 60 seconds."""
    ordered, first, most = sorted(moments), 0, 0
    for number, moment in enumerate(ordered):
        while moment - ordered[first] >= timedelta(seconds=60):
            first += 1
        most = max(most, number - first + 1)
    return most
