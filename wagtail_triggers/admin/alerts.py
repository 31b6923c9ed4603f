"""Tell people that a journey has paused itself: the audit log and a mail; `home` shows it."""

from __future__ import annotations

import logging
from typing import Any

from django.core.mail import send_mail
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.log_actions import log

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


def connect() -> None:
    """Listen for journeys that pause themselves. Called once from `AppConfig.ready()`."""
    journey_stopped.connect(on_stopped, dispatch_uid="wagtail_triggers.alerts")
