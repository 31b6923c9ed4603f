"""The rows that the runner works on, as light objects: a model instance costs it ten times as much.

What is read and what is written stands here, once. How, depends on the database: `core.reading`
and `core.bulk` each have a fast way for PostgreSQL and one for all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from ..core.bulk import insert_columns, update_rows
from .advance import Progress
from .models import Enrolment, StepRun


@dataclass(slots=True)
class RunRow:
    """A due run: the fields of `Enrolment` that a batch reads or writes."""

    pk: int
    site_id: int
    journey_id: int
    version_id: int
    contact_id: int
    key: str
    event_id: int
    refs: list[str]
    node: str
    seq: int
    entered_at: datetime
    arrived_at: datetime
    wake_at: datetime | None
    due_since: datetime | None
    stood_still: timedelta
    waiting: bool
    last_message_at: datetime | None
    tries: int
    depth: int
    held_wake_at: datetime | None
    is_held: bool
    is_moving: bool
    #: As every due run begins.
    state: str = Enrolment.State.ACTIVE
    reason: str = ""
    active_slot: int | None = 1
    ended_at: datetime | None = None


#: What is read of each.
READ: Final = tuple(one.name for one in fields(RunRow) if one.default is MISSING)
_WRITTEN: Final = (
    "node", "seq", "arrived_at", "wake_at", "state", "reason", "active_slot", "ended_at", "tries",
    "waiting", "last_message_at", "held_wake_at", "due_since", "stood_still",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A locked contact: what a batch asks of everybody in it."""

    pk: int
    site_id: int
    language: str
    time_zone: str


def write_runs(rows: Iterable[RunRow]) -> None:
    """Write where these runs stand. One statement."""
    update_rows(Enrolment, list(rows), _WRITTEN)


def write_steps(progress: Iterable[Progress], rows: Mapping[int, RunRow], moment: datetime) -> None:
    """Insert a record of each decision. One statement, or none."""
    steps = [(one.enrolment_id, step) for one in progress for step in one.steps]
    columns: dict[str, list[Any]] = {
        "enrolment": [pk for pk, _step in steps],
        "seq": [step.seq for _pk, step in steps],
        "version": [rows[pk].version_id for pk, _step in steps],
        "node": [step.node for _pk, step in steps],
        "kind": [step.kind for _pk, step in steps],
        "decision": [step.decision for _pk, step in steps],
        "port": [step.port for _pk, step in steps],
        "detail": [step.detail for _pk, step in steps],
        "at": [moment] * len(steps),
    }
    insert_columns(StepRun, columns)
