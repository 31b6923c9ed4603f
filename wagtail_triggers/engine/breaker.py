"""Stop a journey that goes wrong before it has gone wrong with everybody, and say why.

It looks at what every batch has noted (`engine.pulse`). A journey that was let go on starts afresh:
what happened before is no reason to stop it again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext_noop

from ..core import clock
from ..journeys.models import Journey
from ..signals import journey_stopped
from .lifecycle import pause
from .models import Pulse

logger = logging.getLogger("wagtail_triggers.breaker")

#: What the reaper's turn may spend on holding the rows of a journey; workers go on with the rest.
SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Limit:
    """When a journey stops itself.

    Attributes:
        what: What is counted (a field of `Pulse`).
        of: What it is a share of.
        most: This many are let pass, whatever their share.
        least: So many must have happened before a share says anything.
        share: Beyond this share it stops.
        within: How far it looks back.
        reason: In English; translated when it is shown.
    """

    what: str
    of: str
    within: timedelta
    reason: str
    most: int | None = None
    least: int = 1
    share: float | None = None

    def is_passed(self, counted: Mapping[str, int]) -> bool:
        """Say whether these numbers are too many."""
        number, whole = counted[self.what], counted[self.of]
        if self.most is not None and number > self.most:
            return True
        return self.share is not None and number >= self.least and number > self.share * whole


HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

#: A reader who reports a letter as spam does so within a day; a step that fails does so at once.
LIMITS: Final = (
    Limit("errors", "runs", HOUR, gettext_noop("More than 20 errors within an hour."), most=20),
    Limit(
        "errors", "runs", HOUR,
        gettext_noop("More than 5 percent of what it did within an hour failed."),
        least=5, share=0.05,
    ),
    Limit(
        "complaints", "sent", DAY,
        gettext_noop("More than 0.3 percent of its letters of a day were reported as spam."),
        least=3, share=0.003,
    ),
    Limit(
        "bounces", "sent", DAY,
        gettext_noop("More than 5 percent of its letters of a day bounced."),
        least=10, share=0.05,
    ),
)  # fmt: skip


def watch() -> list[Journey]:
    """Pause every journey that passes a limit, and tell; two queries where all is well.

    Returns:
        The journeys that were paused.
    """
    moment = clock.now()
    found: dict[int, str] = {}
    for within in (HOUR, DAY):
        limits = [limit for limit in LIMITS if limit.within == within]
        for journey_id, counted in _counted(moment - within, limits).items():
            reason = next((one.reason for one in limits if one.is_passed(counted)), "")
            if reason:
                found.setdefault(journey_id, reason)
    stopped = []
    for journey in Journey.objects.filter(pk__in=found).order_by("pk"):
        reason = found[journey.pk]
        logger.error("Journey %d (%s) pauses itself: %s", journey.pk, journey, reason)
        pause(journey, reason=reason, seconds=SECONDS)
        journey_stopped.send_robust(sender=Journey, journey=journey, reason=reason)
        stopped.append(journey)
    return stopped


def _counted(since: datetime, limits: list[Limit]) -> dict[int, dict[str, int]]:
    """The sums of every running journey in which anything of this went wrong since then."""
    names = {name for limit in limits for name in (limit.what, limit.of)}
    bad = Q()
    for limit in limits:
        bad |= Q(**{f"all_{limit.what}__gt": 0})
    rows: QuerySet[Pulse, Any] = (
        Pulse.objects.filter(
            Q(journey__resumed_at=None) | Q(at__gt=F("journey__resumed_at")), at__gt=since
        )
        .exclude(journey__state=Journey.State.PAUSED)
        .values("journey_id")
        .annotate(**{f"all_{name}": Sum(name) for name in names})
        .filter(bad)
        .order_by()
    )
    return {row["journey_id"]: {name: row[f"all_{name}"] for name in names} for row in rows}
