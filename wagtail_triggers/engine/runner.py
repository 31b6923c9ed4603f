"""Carry out due runs, a batch at a time. Any number of runners may run; there is no leader."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from ..conf import settings
from ..journeys.steps.decisions import Assign
from .advance import Progress, follow
from .store import DueRun, Failure, RunStore

logger = logging.getLogger("wagtail_triggers.runner")


def run_batch(store: RunStore, limit: int | None = None) -> int:
    """Claim a batch of due runs, follow each, and save what became of them.

    Args:
        store: Where the runs are kept.
        limit: How many at most; the setting `WAGTAIL_TRIGGERS_BATCH_SIZE` by default.

    Returns:
        How many runs were claimed; 0 means that nothing is due.
    """
    with store.claim(limit or settings.BATCH_SIZE) as batch:
        progress, failures = decide(batch.runs)
        batch.save(progress, failures)
        return len(batch.runs)


def decide(runs: Sequence[DueRun]) -> tuple[list[Progress], list[Failure]]:
    """Follow every run; one that raises fails alone.

    A variant that one run of a person is given holds for the person's next one at once. The two may
    stand on versions with other weights, by which the second would be given another.
    """
    progress: list[Progress] = []
    failures: list[Failure] = []
    given: dict[int, dict[str, str]] = {}
    for due in runs:
        run = due.run
        if run.contact_id in given:
            run = replace(run, assignments={**given[run.contact_id], **run.assignments})
        try:
            done = follow(run, due.plan, due.node)
            progress.append(done)
            for one in done.effects:
                if isinstance(one.effect, Assign):
                    own = given.setdefault(run.contact_id, {})
                    own.setdefault(one.effect.experiment, one.effect.variant)
        except Exception as error:  # a step is a host's code too: whatever it raises is its own
            logger.warning("Run %d failed at %s", due.run.enrolment_id, due.node, exc_info=error)
            failures.append(
                Failure(
                    due.run.enrolment_id,
                    due.node,
                    due.tries + 1,
                    f"{type(error).__name__}: {error}",
                )
            )
    return progress, failures
