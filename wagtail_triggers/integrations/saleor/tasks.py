"""The adapter's one task: take in what Saleor could not deliver. Add it to your beat::

CELERY_BEAT_SCHEDULE = {**beat_schedule(), **saleor.tasks.beat_schedule()}
"""

from __future__ import annotations

import logging
from typing import Any, Final

from celery import shared_task

from .exceptions import SaleorError
from .reconcile import reconcile_all

logger = logging.getLogger("wagtail_triggers.saleor")

TASK_RECONCILE: Final = "wagtail_triggers.saleor.reconcile"
QUEUE: Final = "triggers-jobs"


@shared_task(name=TASK_RECONCILE, ignore_result=True, acks_late=True, time_limit=600)
def reconcile() -> None:
    """Take in failed deliveries of every instance; one that is silent is asked next time."""
    try:
        reconcile_all()
    except SaleorError as error:
        logger.warning("Saleor could not be reconciled now: %s", error)


def beat_schedule(*, minutes: float = 15.0) -> dict[str, dict[str, Any]]:
    """An entry for Celery's `beat_schedule`.

    Args:
        minutes: Between two reconciliations.
    """
    return {
        "wagtail-triggers-saleor-reconcile": {
            "task": TASK_RECONCILE,
            "schedule": minutes * 60,
            "options": {"queue": QUEUE, "expires": minutes * 60},
        }
    }
