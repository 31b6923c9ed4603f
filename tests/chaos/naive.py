"""What most code does: send, then mark as sent; or leave the work itself to the broker."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction

from wagtail_triggers import tasks
from wagtail_triggers.messages.channels.base import Outgoing, get_channel
from wagtail_triggers.messages.models import Message


def plant() -> None:
    """Put it in the place of ours."""
    setattr(tasks, "send_batch", naive_batch)  # noqa: B010 - planted


def naive_batch(message_class: str) -> int:
    """Send what is planned. Locked, so that only a crash doubles it."""
    waiting = Message.objects.filter(message_class=message_class, state=Message.State.PLANNED)
    channel = get_channel("plain")
    for number in range(50):
        with transaction.atomic():
            row = waiting.select_for_update(skip_locked=True).order_by("pk").first()
            if row is None:
                return number
            key = str(row.public_id)
            channel.send(Outgoing("naive@example.com", "", "", html="", idempotency_key=key))
            row.state, row.due_at = Message.State.ACCEPTED, None
            row.save(update_fields=["state", "due_at"])
    return 50


@shared_task(name="chaos.mail", acks_late=True, reject_on_worker_lost=True, ignore_result=True)
def mail(key: str) -> None:
    """A mail, as a task of its own."""
    get_channel("plain").send(Outgoing("bare@example.com", "", "", idempotency_key=key))
