"""P10: how soon a receipt leaves while a newsletter is on its way, and a graceful stop.

Three workers as `docs/how-to/run-in-production.md` starts them, each with a lane of its own. So
many marketing messages are queued; meanwhile people buy something, one after the other. At the end
the workers are asked to stop in the middle of it.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack

from django.db import connection, transaction

from tests.benchmarks import letters, world
from tests.benchmarks.command import Plan
from tests.benchmarks.end_to_end import PATIENCE, new_orders
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.shop.models import Customer, Order
from tests.benchmarks.shop.signals import order_placed
from tests.benchmarks.workers import worker
from tests.concurrency.people import letter, people, planned
from wagtail_triggers.conf import (
    QUEUES,
    TASK_ROUTE,
    TASK_RUN,
    TASK_SEND_BULK,
    TASK_SEND_TRANSACTIONAL,
)
from wagtail_triggers.messages.models import Message, MessageClass

#: Seconds that a receipt may take, and that a worker may take to stop.
RECEIPT, STOP = 30.0, 10.0
#: Orders that are placed meanwhile; at least so many, and one for each thousand in the queue.
ORDERS = 6
#: Seconds between them.
PAUSE = 0.5
#: A newsletter for everybody, made from the message to one: each person gets one, as the caps of
#: most shops would have it.
COPIES = """
INSERT INTO wagtail_triggers_message ({columns}, contact_id, public_id, idempotency_key)
SELECT {columns}, person, gen_random_uuid(), idempotency_key || ':' || person
FROM (SELECT * FROM wagtail_triggers_message LIMIT 1) AS message,
    (SELECT id AS person FROM wagtail_triggers_contact WHERE email LIKE 'bulk%') AS people
WHERE person <> contact_id
"""
#: People that are made at a time.
CHUNK = 5_000


def measure(plan: Plan) -> Report:
    """Place orders while `plan.size` marketing messages are queued."""
    letters.publish_ours()
    _newsletter(plan.size)
    number = max(ORDERS, plan.size // 1_000)
    customers = Customer.objects.bulk_create(
        Customer(first_name=f"Ada {n}", last_name="L", email=f"receipt{n}@shop.example")
        for n in range(number)
    )
    stops: list[float] = []
    with ExitStack() as stack:
        for name, tasks, more in (
            ("route", (TASK_ROUTE, TASK_RUN), ["-B"]),
            ("receipts", (TASK_SEND_TRANSACTIONAL,), []),
            ("bulk", (TASK_SEND_BULK,), []),
        ):
            queues = sorted({QUEUES[task] for task in tasks})
            stack.enter_context(worker(name, queues, processes=1, options=more, stopped=stops))
        _until_bulk_leaves()
        taken = [_receipt(order) + plan.handicap for order in new_orders(customers)]
        still = _queued()
    assert still, "The queue was empty before the last receipt; queue more."
    p95 = statistics.quantiles(taken, n=20)[-1]
    slowest = max(stops) + plan.handicap
    figures = [
        Figure.of_rounds("p10 receipt", [(p95, RECEIPT)], goal=1.0, better="lower", unit="s"),
        Figure.of_rounds("p10 stop", [(slowest, STOP)], goal=1.0, better="lower", unit="s"),
    ]
    return Report(figures, {"queued": plan.size, "left": still, "receipts": taken, "stops": stops})


def _newsletter(size: int) -> None:
    """Queue a marketing message for each of `size` people."""
    everybody = [
        row
        for number, begun in enumerate(range(0, size, CHUNK))
        for row in people(min(CHUNK, size - begun), f"bulk{number}n")
    ]
    planned(letter("News", marketing=True), everybody[:1])
    names = [
        connection.ops.quote_name(str(field.column))
        for field in Message._meta.concrete_fields
        if field.column not in ("id", "contact_id", "public_id", "idempotency_key")
    ]
    with connection.cursor() as cursor:
        cursor.execute(COPIES.format(columns=", ".join(names)))
        cursor.execute("VACUUM ANALYZE wagtail_triggers_message")
        cursor.execute("VACUUM ANALYZE wagtail_triggers_contact")
    assert _queued() == size, _queued()


def _queued() -> int:
    return Message.objects.filter(message_class=MessageClass.MARKETING, state="planned").count()


def _until_bulk_leaves() -> None:
    ends = time.monotonic() + PATIENCE
    while not Message.objects.filter(message_class="marketing", state="accepted").exists():
        assert time.monotonic() < ends, "No marketing message leaves."
        time.sleep(0.1)


def _receipt(order: Order) -> float:
    """Seconds from the order to the mail in the customer's hands."""
    began = time.monotonic()
    with transaction.atomic():
        order_placed.send(sender=Order, order=order)
    arrived = world.sink().ask(f"mail {order.customer.email} {2 * RECEIPT}")["at"]
    assert arrived, f"No receipt for {order.customer.email}"
    time.sleep(PAUSE)
    return float(arrived) - began
