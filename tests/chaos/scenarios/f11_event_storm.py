"""F11: ten times as many events as usual, with a queue full of marketing before them."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import F

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.people import letter, people, planned
from tests.shop import cart, journey, line, order, template
from wagtail_triggers.api import Who
from wagtail_triggers.conf import QUEUES, TASK_SEND_BULK
from wagtail_triggers.events.models import Cart, Event
from wagtail_triggers.messages import claim
from wagtail_triggers.messages.models import Message, MessageClass

SCENARIO = Scenario(
    name="F11",
    title="a storm of events on top of a queue full of marketing",
    promise=(
        "lost 0; 99 of 100 events are taken within 300 ms; 95 of 100 receipts leave within 30 s "
        "of their order, whatever is queued; of a cart the last state counts"
    ),
    broken="one lane: whatever is due first is sent first",
    small=600,
    full=20_000,
)
#: Of the events, so many are orders; the others are carts that change.
ORDERS = 0.2
BULK = "triggers-send-bulk"


def run(chaos: Chaos) -> Report:
    """Queue marketing, then let the storm break loose."""
    small = chaos.plan.small
    bulk = chaos.messages * 2 if small else chaos.messages * 5
    receipt = template("Receipt")
    journey("Receipts", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": receipt},
    ])  # fmt: skip
    for start in range(0, bulk, 5_000):
        rows = people(min(5_000, bulk - start), prefix=f"bulk{start}-")
        planned(letter(f"News {start}", marketing=True), rows)
    chaos.sink.perform(pause=0.03)
    django_settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    crew = crowd.Crew(chaos.nursery, plant=f"{__name__}.plant" if chaos.broken else "")
    crew.beat = chaos.nursery.beat()
    others = ",".join(sorted(set(QUEUES.values()) - {QUEUES[TASK_SEND_BULK]}))
    for name, queues in (("urgent", others), ("bulk", QUEUES[TASK_SEND_BULK])):
        chaos.nursery.worker(name, queues=queues, plant=crew.plant)
    crowd.started_delivering(chaos)
    storm = Storm(chaos, rate=60.0 if small else 200.0)
    storm.blow()
    orders = storm.orders
    crowd.settle(bulk + orders, idle=60)
    report = chaos.report()
    report.count(bulk + orders, chaos.sink.deliveries())
    _judge(report, storm, small=small)
    return report


class Storm:
    """Events at a rate, from several threads that never wait for one another."""

    def __init__(self, chaos: Chaos, *, rate: float) -> None:
        self.count = chaos.messages
        self.rate = rate
        self.took: list[float] = []
        self.failed = 0
        self.orders = int(self.count * ORDERS)
        self.carts = max(1, self.count // 20)
        self.last: dict[str, int] = {}
        self.began = 0.0
        self._lock = threading.Lock()
        self._numbers = iter(range(self.count))

    def blow(self) -> None:
        """From the first event to the last."""
        self.began = time.monotonic()
        threads = [threading.Thread(target=self._work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                connection.close()
                return
            time.sleep(max(0.0, self.began + number / self.rate - time.monotonic()))
            began = time.monotonic()
            with transaction.atomic():
                self._event(number)
            self.took.append(time.monotonic() - began)

    def _event(self, number: int) -> None:
        if number < self.orders * 5 and number % 5 == 0:
            who = Who(user_id=f"s{number}", email=f"s{number}@example.com")
            order(f"s{number}", line(), who=who, dedupe_key=f"s{number}")
            return
        name = f"cart{number % self.carts}"
        who = Who(user_id=name, email=f"{name}@example.com")
        cart(name, line(quantity=number + 1), who=who)
        with self._lock:
            self.last[name] = max(self.last.get(name, 0), number + 1)


def _judge(report: Report, storm: Storm, *, small: bool) -> None:
    took = sorted(storm.took)
    p99 = took[int(len(took) * 0.99)]
    rows = Message.objects.filter(message_class=MessageClass.TRANSACTIONAL, state="accepted")
    waits = sorted(
        wait.total_seconds()
        for wait in rows.annotate(wait=F("settled_at") - F("planned_at")).values_list(
            "wait", flat=True
        )
    )
    events = Event.objects.in_bulk([pk for pk in rows.values_list("event_id", flat=True) if pk])
    ages = sorted(
        (row.settled_at - events[row.event_id].recorded_at).total_seconds()
        for row in rows
        if row.settled_at and row.event_id
    )
    p95 = ages[int(len(ages) * 0.95)] if ages else float("inf")
    last_bulk = Message.objects.filter(message_class=MessageClass.MARKETING).latest("settled_at")
    last_receipt = rows.latest("settled_at") if ages else last_bulk
    assert last_bulk.settled_at is not None
    assert last_receipt.settled_at is not None
    ahead = (last_bulk.settled_at - last_receipt.settled_at).total_seconds()
    limit = 10.0 if small else 30.0
    stored = Event.objects.exclude(source="engine").count()
    carts = dict(Cart.objects.values_list("cart_id", "items"))
    wrong = sum(abs(carts.get(name, 0) - items) > 4 for name, items in storm.last.items())
    report.extra |= {
        "events a second": f"{len(took) / (max(1e-9, _span(storm))):.0f}",
        "an event is taken in (p99)": f"{p99 * 1000:.0f} ms",
        "a receipt leaves after (p50, p95)": f"{ages[len(ages) // 2]:.1f} s, {p95:.1f} s",
        "of that after it was planned (p95)": f"{waits[int(len(waits) * 0.95)]:.1f} s",
        "marketing went on after the last receipt for": f"{ahead:.1f} s",
        "events stored": stored,
        "carts that are not as they were left": wrong,
    }
    report.demand(p99 <= 0.3, f"99 of 100 events within 300 ms, not {p99 * 1000:.0f} ms")
    report.demand(p95 <= limit, f"95 of 100 receipts within {limit:.0f} s, not {p95:.1f} s")
    report.demand(stored == storm.count, "every event is stored")
    report.demand(wrong == 0, "of a cart the last state counts")
    report.demand(report.duplicates == 0, "nothing comes twice")


def _span(storm: Storm) -> float:
    return storm.count / storm.rate


def plant() -> None:
    """Whoever looks for what is due takes whatever came first."""

    def candidates(message_class: str, moment: Any, limit: int, *_more: Any) -> dict[int, int]:
        due = Message.objects.filter(due_at__lte=moment, state__in=Message.WAITING)
        return dict(due.order_by("due_at", "pk").values_list("pk", "contact_id")[:limit])

    setattr(claim, "_candidates", candidates)  # noqa: B010 - planted
