"""Tell people that a journey has paused itself: the audit log, the start page, and a mail."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.mail import send_mail
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from ..conf import settings
from ..journeys.models import Journey
from ..signals import journey_stopped
from .states import explained

logger = logging.getLogger("wagtail_triggers.alerts")

#: As it stands in the audit log, and in `register_log_actions`.
STOPPED = "wagtail_triggers.stopped"


def on_stopped(journey: Journey, reason: str, **_more: Any) -> None:
    """Write it into the audit log, and mail it to whom the setting names."""
    log(journey, STOPPED, data={"reason": reason})
    if not settings.ALERT_EMAILS:
        return
    page = settings.base_url + reverse("triggers_journeys:inspect", args=[journey.pk])
    text = _(
        "The journey “%(name)s” has paused itself: %(reason)s\n\nNobody in it moves and nothing "
        "of it is sent until somebody lets it go on:\n%(page)s"
    ) % {"name": journey, "reason": explained(reason), "page": page}
    try:
        send_mail(
            _("The journey “%(name)s” has paused itself") % {"name": journey},
            text,
            settings.from_email,
            settings.ALERT_EMAILS,
        )
    except Exception:  # the mail server may be what is wrong: the journey is paused all the same
        logger.exception("The alert about journey %d could not be mailed", journey.pk)


class StoppedPanel(Component):
    """Journeys that have paused themselves, on the admin's start page."""

    name = "triggers_stopped"
    template_name = "wagtail_triggers/admin/stopped_panel.html"
    order = 90

    def __init__(self, journeys: list[Journey]) -> None:
        self.journeys = journeys

    def get_context_data(self, parent_context: Any = None) -> Mapping[str, Any]:
        """Return the journeys with their reasons in words."""
        return {
            "stopped": [(journey, explained(journey.pause_reason)) for journey in self.journeys]
        }


def add_stopped_panel(request: HttpRequest, panels: list[Component]) -> None:
    """Show the panel to those who may read journeys, while there is anything to show."""
    policy = policy_registry.get_by_type(Journey)
    if not policy.user_has_any_permission(request.user, {"add", "change", "publish", "view"}):
        return
    stopped = Journey.objects.filter(state=Journey.State.PAUSED).exclude(pause_reason="")
    found = list(stopped.order_by("paused_at")[:10])
    if found:
        panels.append(StoppedPanel(found))


def connect() -> None:
    """Listen for journeys that pause themselves. Called once from `AppConfig.ready()`."""
    journey_stopped.connect(on_stopped, dispatch_uid="wagtail_triggers.alerts")
