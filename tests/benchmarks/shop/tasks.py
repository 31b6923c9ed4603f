"""The honest baseline: a task per mail, with Django's templates and Django's mail."""

from __future__ import annotations

from celery import shared_task
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from tests.benchmarks.shop.models import Order

QUEUE = "bench-plain"


@shared_task(queue=QUEUE, ignore_result=True)
def send_thank_you(order_id: int) -> None:
    """Send the mail about one order."""
    order = Order.objects.select_related("customer").get(pk=order_id)
    context = {"order": order, "lines": list(order.lines.all()), "customer": order.customer}
    mail = EmailMultiAlternatives(
        subject=render_to_string("letter.subject.txt", context).strip(),
        body=render_to_string("letter.txt", context),
        to=[f"{order.customer.first_name} {order.customer.last_name} <{order.customer.email}>"],
    )
    mail.attach_alternative(render_to_string("letter.html", context), "text/html")
    mail.send()


@shared_task(queue="bench-nobody", ignore_result=True)
def nothing(order_id: int) -> None:
    """What a checkout announces when only the announcement is measured; no worker listens."""
