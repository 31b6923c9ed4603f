"""The plans in force: which journeys listen, and the frozen version that a run is pinned to."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from ..exceptions import TriggersError
from ..journeys.models import Journey, JourneyVersion
from ..journeys.plan import Plan, keep_plan, known_plan, plan_for

logger = logging.getLogger("wagtail_triggers.engine")


@dataclass(frozen=True, slots=True)
class LiveJourney:
    """A journey that takes people in, with its compiled live version."""

    journey_id: int
    site_id: int
    version_id: int
    priority: int
    plan: Plan
    #: By which other journeys name it.
    uid: str = ""


def live_journeys(site_ids: Iterable[int]) -> list[LiveJourney]:
    """Every published, running journey of these sites; two queries at most."""
    rows = _listening().filter(site_id__in=set(site_ids))
    return _compiled(list(rows.values_list("pk", "site_id", "live_version_id", "priority", "uid")))


def shared(journeys: Sequence[LiveJourney]) -> list[LiveJourney]:
    """Lock these journeys FOR SHARE and return them with the version that is live *now*.

    A publication takes the journey FOR UPDATE: so nobody is enrolled in a version that has just
    stopped being live. Journeys that no longer listen are left out.
    """
    known = {journey.version_id: journey.plan for journey in journeys}
    ids = sorted(journey.journey_id for journey in journeys)
    if not ids:
        return []
    _lock_for_share(ids)
    rows = _listening().filter(pk__in=ids).order_by("pk")
    return _compiled(
        list(rows.values_list("pk", "site_id", "live_version_id", "priority", "uid")), known
    )


def plans_of(version_ids: Iterable[int]) -> dict[int, Plan]:
    """The compiled plans of these versions; one query, and one more for what is not known yet.

    A version that compiled when it was published may not do so today: a host may have removed its
    own kind of step. It is left out here, so that it stops its own runs and nobody else's.
    """
    versions = JourneyVersion.objects.filter(pk__in=set(version_ids))
    digests = dict(versions.values_list("pk", "digest"))
    # Graphs are large, and frozen: what this process has compiled is known by its digest.
    plans = {pk: plan for pk, digest in digests.items() if (plan := known_plan(digest)) is not None}
    new = [pk for pk in digests if pk not in plans]
    if not new:
        return plans
    for pk, graph in versions.filter(pk__in=new).values_list("pk", "graph"):
        try:
            plans[pk] = plan_for(pk, graph)
            keep_plan(digests[pk], plans[pk])
        except TriggersError as error:
            logger.error("Version %d of a journey can no longer be carried out: %s", pk, error)
    return plans


def _listening() -> QuerySet[Journey]:
    rows: QuerySet[Journey] = Journey.objects.filter(
        live=True, state=Journey.State.RUNNING, live_version__isnull=False
    )
    return rows


def _compiled(
    rows: list[tuple[int, int, int, int, UUID]], known: Mapping[int, Plan] = MappingProxyType({})
) -> list[LiveJourney]:
    wanted = {version for _pk, _site, version, _priority, _uid in rows}
    new = wanted.difference(known)
    plans = {**known, **(plans_of(new) if new else {})}
    return [
        LiveJourney(pk, site, version, priority, plans[version], str(uid))
        for pk, site, version, priority, uid in sorted(rows, key=lambda row: (-row[3], row[0]))
        if version in plans
    ]


def _lock_for_share(ids: list[int]) -> None:
    if not connection.features.has_select_for_update:
        return
    # Django has no FOR SHARE; MariaDB calls it by its old name.
    is_mariadb = getattr(connection, "mysql_is_mariadb", False)
    clause = "LOCK IN SHARE MODE" if is_mariadb else "FOR SHARE"
    table = connection.ops.quote_name(Journey._meta.db_table)
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        # S608: the table's name is ours and the marks are placeholders.
        cursor.execute(
            f"SELECT id FROM {table} WHERE id IN ({marks}) ORDER BY id {clause}",  # noqa: S608
            ids,
        )
        cursor.fetchall()
