"""Marketing that competes for people: rules of the site, and messages by name."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

from tests.concurrency.people import letter, site
from wagtail_triggers.consent.models import FrequencyCap, QuietHours
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.messages.models import Message, TemplateVersion, TriggersSettings

_numbers = itertools.count()


def rules(
    *caps: tuple[int, int, str, str],
    weekly: int | None = None,
    quiet: Sequence[tuple[str, str, str]] = (),
    **more: Any,
) -> TriggersSettings:
    """Set the site's policies.

    Args:
        caps: (limit, amount, unit, channel).
        weekly: The limit of marketing in seven days.
        quiet: (from, until, weekdays).
        more: Other settings.
    """
    row: TriggersSettings
    row, _made = TriggersSettings.objects.update_or_create(
        site=site(), defaults={"weekly_limit": weekly, **more}
    )
    FrequencyCap.objects.all().delete()
    QuietHours.objects.all().delete()
    for limit, amount, unit, channel in caps:
        FrequencyCap.objects.create(
            settings=row, limit=limit, amount=amount, unit=unit, channel=channel
        )
    for begins, ends, days in quiet:
        QuietHours.objects.create(
            settings=row,
            begins=time.fromisoformat(begins),
            ends=time.fromisoformat(ends),
            weekdays=days,
        )
    return row


def news(subject: str = "News") -> TemplateVersion:
    """A published marketing letter that needs no explicit yes."""
    return letter(subject, marketing=True)


def plan(
    version: TemplateVersion,
    contact: Contact,
    *,
    priority: int = 0,
    worth: timedelta = timedelta(days=30),
    **more: Any,
) -> Message:
    """A message that is due now."""
    moment = clock.now()
    return Message.objects.create(
        **{
            "site_id": contact.site_id,
            "contact": contact,
            "template_version": version,
            "channel": "email",
            "message_class": version.message_class,
            "topic_id": version.topic_id,
            "idempotency_key": f"test:{next(_numbers)}",
            "due_at": moment,
            "planned_at": moment,
            "expires_at": moment + worth,
            "priority": priority,
            **more,
        }
    )


def states(*messages: Message) -> list[str]:
    """Their states now."""
    found = dict(Message.objects.values_list("pk", "state"))
    return [found[message.pk] for message in messages]
