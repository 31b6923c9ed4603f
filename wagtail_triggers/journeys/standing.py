"""How journeys stood, moment by moment: written with every change, read to answer "why not?"."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from wagtail.signals import unpublished

from ..core import clock
from .models import Journey, Standing


def note_standing(journey: Journey, state: str, moment: datetime, reason: str = "") -> None:
    """Append how the journey stands from `moment` on; in the caller's transaction.

    A journey that is not published does not begin to run by being resumed.
    """
    if state == Standing.State.RUNNING and not journey.live:
        state = Standing.State.UNPUBLISHED
    Standing.objects.create(
        journey=journey,
        state=state,
        version_id=journey.live_version_id,
        reason=reason[:255],
        at=moment,
    )


def note_published(journey: Journey, moment: datetime) -> None:
    """Append that another version, or the journey again, is in force; nothing where it was."""
    last = journey.standings.order_by("-at", "-pk").first()
    state = str(journey.state)
    if last is None or (last.state, last.version_id) != (state, journey.live_version_id):
        note_standing(journey, state, moment)


def standing_at(journey: Journey, moment: datetime) -> Standing | None:
    """How the journey stood at a moment; None before it was ever published. One query."""
    rows = journey.standings.filter(at__lte=moment).select_related("version")
    found: Standing | None = rows.order_by("-at", "-pk").first()
    return found


def _on_unpublished(sender: type[Journey], instance: Journey, **_kwargs: Any) -> None:
    with transaction.atomic():
        note_standing(instance, Standing.State.UNPUBLISHED, clock.now())


def connect() -> None:
    """Listen for journeys that are taken off. Called once from `AppConfig.ready()`."""
    unpublished.connect(_on_unpublished, sender=Journey, dispatch_uid="wagtail_triggers.standing")
