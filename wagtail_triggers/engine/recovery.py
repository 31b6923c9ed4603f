"""Find what dead workers left behind, and go on with it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..core import clock
from ..messages import claim
from . import attempts, breaker, lifecycle
from .database import run_singly
from .jobs import claim as job_claims
from .models import BatchAttempt
from .router import route_batch, route_singly

logger = logging.getLogger("wagtail_triggers.recovery")


@dataclass(frozen=True, slots=True)
class Reaped:
    """What was found."""

    messages: int = 0
    batches: int = 0
    late_events: int = 0
    jobs: int = 0


def reap() -> Reaped:
    """Take back expired leases, retry abandoned batches singly, look for late commits.

    What people have decided about runs and is not carried out yet goes on, too, and journeys that
    go wrong are paused.
    """
    messages = claim.reap()
    jobs = job_claims.reap()
    dead = attempts.abandoned(clock.now())
    for attempt in dead:
        logger.warning("A batch of %d %s was abandoned", len(attempt.ids), attempt.kind)
        if attempt.kind == BatchAttempt.Kind.RUNS:
            run_singly(attempt.ids)
        else:
            route_singly(attempt.ids, "The worker that routed this event died.")
        attempts.done(attempt)
    lifecycle.carry_on()
    breaker.watch()
    late = route_batch(everywhere=True)
    return Reaped(messages, len(dead), late, jobs)
