"""The receiver that a shop would write: a task after the commit."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from tests.benchmarks.shop.models import Order
from tests.benchmarks.shop.signals import order_placed_plainly, seen_plainly
from tests.benchmarks.shop.tasks import send_thank_you


@receiver(order_placed_plainly, sender=Order)
def thank(sender: type[Order], order: Order, **kwargs: Any) -> None:
    """Send the mail once the order is certain."""
    transaction.on_commit(lambda: send_thank_you.delay(order.pk))


@receiver(seen_plainly)
def ignore(sender: type[Order], order: Order, **kwargs: Any) -> None:
    """The least that a receiver can be."""
