"""What rules of re-entry ask: how often, and when, a person has been in a journey; in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Count, Max

from ..core.any_of import AnyOf
from ..journeys.reentry import PastRuns
from .live import LiveJourney
from .models import Enrolment


def past_runs(
    contact_ids: Collection[int], journeys: Iterable[Iterable[LiveJourney]], moment: datetime
) -> dict[int, dict[int, PastRuns]]:
    """Each person's runs in each of these journeys, over all of their versions; two queries.

    Args:
        contact_ids: People whose contacts are locked, so that nobody enters meanwhile.
        journeys: Those that may take somebody in, by site.
        moment: The batch's reading of the clock.
    """
    looks_back = {
        journey.journey_id: max(entry.reentry.looks_back() for entry in journey.plan.entries)
        for site in journeys
        for journey in site
    }
    if not looks_back:
        return {}
    found: dict[int, dict[int, PastRuns]] = defaultdict(dict)
    rows = Enrolment.objects.filter(
        AnyOf("contact_id", contact_ids), AnyOf("journey_id", looks_back)
    )
    for row in (
        rows.values("contact_id", "journey_id")
        .annotate(count=Count("pk"), last=Max("entered_at"))
        .order_by()
    ):
        found[row["contact_id"]][row["journey_id"]] = PastRuns(row["count"], row["last"])
    counting = {pk: span for pk, span in looks_back.items() if span}
    if counting:
        recent = rows.filter(
            journey_id__in=counting, entered_at__gt=moment - max(counting.values())
        ).values_list("contact_id", "journey_id", "entered_at")
        for contact, journey, entered in recent:
            past = found[contact][journey]
            found[contact][journey] = replace(past, recent=(*past.recent, entered))
    return found
