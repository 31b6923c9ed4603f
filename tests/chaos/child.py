"""What each pool process does before its first task."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from wagtail_triggers import tasks
from wagtail_triggers.messages import outcomes
from wagtail_triggers.messages.channels.base import Outgoing, get_channel
from wagtail_triggers.messages.models import Message


def begin() -> None:
    """Be short of patience, plant the naive sender if told to, and leave our pid."""
    # Half a minute between attempts at a provider becomes two seconds.
    setattr(outcomes, "FIRST_RETRY", timedelta(seconds=2))  # noqa: B010 - it is Final elsewhere
    if settings.NAIVE:
        setattr(tasks, "send_batch", naive_batch)  # noqa: B010 - planted
    (Path(settings.CHAOS_FOLDER) / f"{os.getpid()}.child").touch()


def naive_batch(message_class: str) -> int:
    """Send, then mark as sent: what most code does. Locked, so that only a crash doubles it."""
    waiting = Message.objects.filter(message_class=message_class, state=Message.State.PLANNED)
    channel = get_channel("email")
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
