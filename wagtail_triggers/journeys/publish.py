"""Publishing a journey freezes its graph into a `JourneyVersion`, which people run on.

Compiling happens here and nowhere else: autosave makes revisions many times a minute, and none of
them may reach a person. A scheduled publication and a programmatic one come this way too, and both
bypass every form: a graph that does not compile leaves the version before in force.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from wagtail.signals import published

from ..core import clock
from ..exceptions import GraphError
from .graph import Graph, digest
from .models import Journey, JourneyVersion
from .plan import compile_graph
from .problems import InvalidGraph
from .standing import note_published
from .surroundings import SiteSurroundings
from .validate import validate

logger = logging.getLogger("wagtail_triggers.publish")


def compile_journey(journey: Journey) -> JourneyVersion:
    """Freeze what is live now into a new version, unless nothing has changed.

    Returns:
        The version that is live after this.

    Raises:
        GraphError: The graph has errors; the version before stays live, and the journey keeps
            the problems for the editor to read.
    """
    try:
        graph = Graph.from_json(journey.graph)
        errors = [
            problem
            for problem in validate(graph, SiteSurroundings(journey.site_id))
            if problem.severity == "error"
        ]
        if errors:
            raise InvalidGraph(errors)
        compile_graph(graph)
    except GraphError as error:
        Journey.objects.filter(pk=journey.pk).update(publish_problem=str(error))
        raise
    stamp = digest(graph)
    with transaction.atomic():
        # Routers hold the journey FOR SHARE while they enrol: nobody is enrolled in a version
        # that has just been replaced.
        held = Journey.objects.select_for_update().get(pk=journey.pk)
        last: JourneyVersion | None = held.versions.order_by("-number").first()
        if last is None or last.digest != stamp:
            last = JourneyVersion.objects.create(
                journey=held,
                number=(last.number if last else 0) + 1,
                graph=graph.to_json(),
                digest=stamp,
                created_at=clock.now(),
            )
        Journey.objects.filter(pk=held.pk).update(live_version=last, publish_problem="")
        held.live_version = last
        note_published(held, clock.now())
    journey.live_version, journey.publish_problem = last, ""
    return last


def _on_published(sender: type[Journey], instance: Journey, **_kwargs: Any) -> None:
    # The signal also comes when a publication is only *scheduled*.
    if not instance.live:
        return
    try:
        compile_journey(instance)
    except GraphError:
        logger.exception("Journey %s was published and cannot be compiled", instance.pk)


def connect() -> None:
    """Listen for publications. Called once from `AppConfig.ready()`."""
    published.connect(
        _on_published, sender=Journey, dispatch_uid="wagtail_triggers.compile_journey"
    )
