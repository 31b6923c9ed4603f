"""P1: what `track()` adds to a checkout, against what else a shop might do there.

One client. A checkout is a transaction of three ORM inserts on a PostgreSQL that syncs. Every turn
does all four things one after the other, so that whatever else the machine does meets all of them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import count

from django.db import transaction

from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.floors import reached
from tests.benchmarks.shop.models import Customer, Order, OrderLine, Payment
from tests.benchmarks.shop.tasks import nothing
from wagtail_triggers.api import Who, track
from wagtail_triggers.conf import settings

#: Turns before the first that counts: connections, prepared plans, imports.
WARM_UP = 30
_numbers = count(1)
Extra = Callable[[Order], object]


def measure(plan: Plan) -> Report:
    """Time `plan.size` turns a round."""
    assert settings.NUDGE == "thread", "as in production"
    customer = Customer.objects.create(
        first_name="Ada", last_name="Lovelace", email="ada@shop.example"
    )

    def tracked(order: Order) -> None:
        _track(order)
        if plan.handicap:
            time.sleep(plan.handicap)

    sides: dict[str, Callable[[], object]] = {
        "bare": lambda: _checkout(customer, lambda order: None),
        "track": lambda: _checkout(customer, tracked),
        "delay": lambda: _checkout(customer, _delay),
        "insert": lambda: Payment.objects.create(method="card", amount=Decimal("51.50")),
    }
    _round(sides, WARM_UP)
    rounds = [_round(sides, plan.size) for _number in range(plan.rounds)]
    added = [one["track"] - one["bare"] for one in rounds]
    against_insert = Figure.of_rounds(
        "p1 insert",
        [(more, one["insert"]) for more, one in zip(added, rounds, strict=True)],
        goal=0.3,
        better="lower",
        unit="ms",
        reached=reached("p1 insert"),
    )
    against_delay = Figure.of_rounds(
        "p1 delay",
        [(more, one["delay"] - one["bare"]) for more, one in zip(added, rounds, strict=True)],
        goal=0.35,
        better="lower",
        unit="ms",
        reached=reached("p1 delay"),
    )
    return Report([against_insert, against_delay], {"size": plan.size, "p50_ms": rounds})


def _round(sides: dict[str, Callable[[], object]], size: int) -> dict[str, float]:
    """The p50 of each side, in milliseconds."""
    names = list(sides)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(size):
        # Each side follows each other one equally often.
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            sides[name]()
            taken[name].append((time.perf_counter() - began) * 1_000)
    return {name: statistics.median(times) for name, times in taken.items()}


def _checkout(customer: Customer, extra: Extra) -> None:
    """A transaction of three inserts, and what else is to happen in it."""
    with transaction.atomic():
        order = Order.objects.create(
            number=f"B{next(_numbers)}", customer=customer, total=Decimal("51.50")
        )
        OrderLine.objects.create(
            order=order, sku="tea", name="Sencha", quantity=2, unit_price=Decimal("9.50")
        )
        Payment.objects.create(order=order, method="card", amount=order.total)
        extra(order)


def _track(order: Order) -> None:
    customer = order.customer
    track(
        "order_placed",
        contact=Who(
            user_id=customer.pk,
            email=customer.email,
            first_name=customer.first_name,
            last_name=customer.last_name,
            signed_in=True,
        ),
        key=str(order.pk),
        payload={
            "order_id": str(order.pk),
            "number": order.number,
            "lines": [
                {
                    "sku": "tea",
                    "name": "Sencha",
                    "quantity": 2,
                    "unit_price": {"amount": "9.50", "currency": "EUR"},
                }
            ],
            "total": {"amount": str(order.total), "currency": "EUR"},
        },
        dedupe_key=f"order:{order.pk}:placed",
    )


def _delay(order: Order) -> None:
    transaction.on_commit(lambda: nothing.delay(order.pk))
