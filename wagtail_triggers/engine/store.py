"""What the runner needs of wherever runs are kept. The database is one store, memory another."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ..journeys.plan import Plan
from ..journeys.steps.base import Run
from .advance import Progress

#: A run whose step failed is looked at again after this, times the number of failures.
RETRY_AFTER: Final = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class DueRun:
    """A claimed run with all that its steps may look at."""

    run: Run
    plan: Plan
    node: str
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A run whose step raised, and what it said."""

    enrolment_id: int
    node: str
    tries: int
    error: str


class Batch(Protocol):
    """Claimed runs, and the way to write what became of them."""

    @property
    def moment(self) -> datetime:
        """The batch's one reading of the clock."""

    @property
    def runs(self) -> Sequence[DueRun]:
        """The claimed runs."""

    def save(self, progress: Sequence[Progress], failures: Sequence[Failure]) -> None:
        """Write positions, step records, message intents and failures, all or nothing."""


class RunStore(Protocol):
    """Where runs are kept."""

    def claim(self, limit: int) -> AbstractContextManager[Batch]:
        """Claim up to `limit` due runs for the length of the block."""
