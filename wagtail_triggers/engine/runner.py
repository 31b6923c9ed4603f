"""Carry out due runs, a batch at a time. Any number of runners may run; there is no leader."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..conf import settings
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
    """Follow every run; one that raises fails alone."""
    progress: list[Progress] = []
    failures: list[Failure] = []
    for due in runs:
        try:
            progress.append(follow(due.run, due.plan, due.node))
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
