"""P3: a signal that is mapped and means nothing, against a signal with one receiver.

Most of what a shop's signals tell is of no interest: a mapping says so by returning None. CPU of
this process, inside a transaction as in a checkout.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import transaction

from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.shop.models import Order
from tests.benchmarks.shop.signals import seen, seen_plainly


def measure(plan: Plan) -> Report:
    """Send each signal `plan.size` times a round."""
    order = Order()

    def mapped() -> None:
        seen.send(sender=Order, order=order)
        if plan.handicap:
            _spend(plan.handicap)

    def bare() -> None:
        seen_plainly.send(sender=Order, order=order)

    with transaction.atomic():
        rounds = [(_each(mapped, plan), _each(bare, plan)) for _number in range(plan.rounds)]
    figure = Figure.of_rounds("p3", rounds, goal=10.0, better="lower", unit="us")
    return Report([figure], {"size": plan.size, "rounds": rounds})


def _each(call: Callable[[], None], plan: Plan) -> float:
    """Microseconds of CPU for each call."""
    began = time.process_time()
    for _number in range(plan.size):
        call()
    return (time.process_time() - began) * 1_000_000 / plan.size


def _spend(seconds: float) -> None:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass
