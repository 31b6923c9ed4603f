"""Whoever switches a whole site off, or on again, is written down."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from wagtail.log_actions import log

from ..messages.models import TriggersSettings

#: As they stand in the audit log, and in `register_log_actions`.
SWITCH_OFF: Final = "wagtail_triggers.switch_off"
SWITCH_ON: Final = "wagtail_triggers.switch_on"
#: Where a request keeps how the switch stood before.
_BEFORE: Final = "_triggers_sending_was_on"


def remember_switch(request: HttpRequest, instance: Any) -> None:
    """Keep how the switch stands: a `before_edit_setting` hook."""
    if isinstance(instance, TriggersSettings):
        stored = TriggersSettings.objects.filter(pk=instance.pk).values_list(
            "sending_on", flat=True
        )
        setattr(request, _BEFORE, stored.first())


def note_switch(request: HttpRequest, instance: Any) -> None:
    """Log who has thrown it: an `after_edit_setting` hook."""
    if not isinstance(instance, TriggersSettings):
        return
    was_on = getattr(request, _BEFORE, None)
    if was_on is not None and was_on != instance.sending_on:
        action = SWITCH_ON if instance.sending_on else SWITCH_OFF
        log(instance, action, user=request.user, title=str(instance.site))
