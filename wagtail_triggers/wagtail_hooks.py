"""What Wagtail's admin is told of us. What it does stands in `admin/`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.contrib.settings.models import register_setting
from wagtail.snippets.models import register_snippet

from .admin.deletion import refuse_bulk_deletion
from .admin.group import TriggersGroup
from .admin.permissions import register_policies
from .admin.retry import ACTION as RETRY
from .admin.switching import PAUSE, RESUME
from .messages.models import TriggersSettings

ICONS = (
    "branch",
    "end",
    "event",
    "fit",
    "journey",
    "message",
    "redo",
    "run",
    "split",
    "step",
    "tidy",
    "undo",
)

# Policies come before everything that looks one up: the registry refuses late ones.
register_policies()
register_snippet(TriggersGroup)
register_setting(TriggersSettings, icon="triggers-journey")


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    """Add our icons to the sprite."""
    return [*icons, *(f"wagtail_triggers/admin/icons/triggers-{name}.svg" for name in ICONS)]


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """Name what people decide here, for the audit log."""
    actions.register_action(PAUSE, _("Pause a journey"), _("Journey paused"))
    actions.register_action(RESUME, _("Resume a journey"), _("Journey resumed"))
    actions.register_action(RETRY, _("Try a parked run again"), _("Parked run tried again"))


hooks.register("before_bulk_action", refuse_bulk_deletion)
