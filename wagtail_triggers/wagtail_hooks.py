"""What Wagtail's admin is told of us. What it does stands in `admin/`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.contrib.settings.models import register_setting
from wagtail.snippets.models import register_snippet

from .admin.alerts import STOPPED
from .admin.bulk import DECISIONS, TAKE_OUT
from .admin.bundles import IMPORT, bundle_urls
from .admin.deletion import refuse_bulk_deletion
from .admin.erasing import ERASE
from .admin.group import TriggersGroup
from .admin.home import add_home_panel
from .admin.look import RECOMPILE, warn_of_contrast
from .admin.look import urlpatterns as look_urls
from .admin.mail_size import warn_of_size
from .admin.permissions import register_policies
from .admin.recipes import recipe_urls, recipes_menu_item
from .admin.retry import ACTION as RETRY
from .admin.site_panel import site_access_panel
from .admin.site_settings import EDIT_HANDLER
from .admin.site_switch import SWITCH_OFF, SWITCH_ON, note_switch, remember_switch
from .admin.switching import ARCHIVE, PAUSE, RESUME, TAKE_UP
from .admin.tasks import ACTION as DECIDE
from .admin.test_send import ACTION as SEND_TEST
from .admin.underway import TRANSFER, tell_after_publishing, tell_after_unpublishing
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
TriggersSettings.edit_handler = EDIT_HANDLER
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
    actions.register_action(ARCHIVE, _("Archive a journey"), _("Journey archived"))
    actions.register_action(TAKE_UP, _("Take a journey up again"), _("Journey taken up again"))
    actions.register_action(STOPPED, _("Journey pauses itself"), _("Journey has paused itself"))
    actions.register_action(TRANSFER, _("Move people under way"), _("People under way moved"))
    actions.register_action(DECIDE, _("Decide a task"), _("Task decided"))
    actions.register_action(RECOMPILE, _("Compile a template again"), _("Given the new look"))
    actions.register_action(ERASE, _("Erase a person"), _("Person erased"))
    actions.register_action(SEND_TEST, _("Send a test message"), _("Test message sent"))
    actions.register_action(IMPORT, _("Import a journey"), _("Journey imported"))
    actions.register_action(RETRY, _("Try a parked run again"), _("Parked run tried again"))
    actions.register_action(TAKE_OUT, _("Take somebody out"), _("Taken out of the journey"))
    actions.register_action(SWITCH_OFF, _("Switch a site off"), _("Sending switched off"))
    actions.register_action(SWITCH_ON, _("Switch a site on"), _("Sending switched on"))


hooks.register("before_bulk_action", refuse_bulk_deletion)
hooks.register("after_edit_snippet", tell_after_publishing)
hooks.register("after_unpublish", tell_after_unpublishing)
hooks.register("construct_homepage_panels", add_home_panel)
hooks.register("after_edit_setting", warn_of_contrast)
hooks.register("after_create_snippet", warn_of_size)
hooks.register("after_edit_snippet", warn_of_size)


@hooks.register("register_permissions")
def register_permissions() -> Any:
    """Let groups be given the right to write raw MJML."""
    return Permission.objects.filter(
        content_type__app_label="wagtail_triggers", codename="use_raw_mjml"
    )


@hooks.register("register_admin_urls")
def register_look_urls() -> list[Any]:
    """Add the page that brings a new look to live templates."""
    return [path("triggers/look/", include((look_urls, "triggers_look")))]


hooks.register("register_group_permission_panel", site_access_panel)
hooks.register("before_edit_setting", remember_switch)
hooks.register("after_edit_setting", note_switch)
for _decision in DECISIONS:
    hooks.register("register_bulk_action", _decision)
hooks.register("register_triggers_menu_item", recipes_menu_item)


@hooks.register("register_admin_urls")
def register_bundle_urls() -> list[Any]:
    """Add recipes, and journeys as files."""
    return [
        path("triggers/bundles/", include((bundle_urls(), "triggers_bundles"))),
        path("triggers/recipes/", include((recipe_urls(), "triggers_recipes"))),
    ]
