"""The runs of the shop's own database, claimed and written in sets."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from ..conf import TASK_SEND_BULK, TASK_SEND_TRANSACTIONAL, settings
from ..contacts.models import Contact
from ..core import clock
from ..core.any_of import AnyOf
from ..core.collecting import uncollected
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..core.reading import tuples
from . import attempts, effects, holding, jobs, pulse, transfer
from .advance import Progress
from .due import due_runs
from .intents import plan_messages
from .models import BatchAttempt, Enrolment
from .rows import READ, PersonRow, RunRow, write_runs, write_steps
from .runner import run_batch
from .store import RETRY_AFTER, DueRun, Failure

logger = logging.getLogger("wagtail_triggers.runner")

NO_PLAN = gettext_noop(
    "This version of the journey can no longer be carried out. Is the app that brought one of its "
    "steps still installed?"
)


@dataclass(slots=True)
class DatabaseBatch:
    """Runs whose contacts are locked by the transaction around it."""

    moment: datetime
    rows: dict[int, RunRow]
    people: Mapping[int, PersonRow]
    runs: Sequence[DueRun]

    def _without_a_plan(self) -> list[Failure]:
        """Runs whose version can no longer be carried out: they fail, and are parked."""
        told = {due.run.enrolment_id for due in self.runs}
        return [
            Failure(row.pk, row.node, settings.MAX_TRIES, NO_PLAN)
            for row in self.rows.values()
            if row.pk not in told
        ]

    def save(self, progress: Sequence[Progress], failures: Sequence[Failure]) -> None:
        """Write everything that was decided, in the transaction that holds the locks."""
        progress, planned = plan_messages(progress, self.rows, self.people, self.moment)
        effects.carry_out(progress, self.rows, self.moment)
        jobs.leave(self.runs, progress, self.moment)
        jobs.insert(progress, self.rows, self.moment)
        failures = (*failures, *self._without_a_plan())
        pulse.of_batch(self.rows, progress, failures, self.moment)
        for step in progress:
            self._move(self.rows[step.enrolment_id], step)
        for failure in failures:
            self._fail(self.rows[failure.enrolment_id], failure)
        write_runs(self.rows.values())
        write_steps(progress, self.rows, self.moment)
        if planned.transactional:
            nudge(TASK_SEND_TRANSACTIONAL)
        if planned.marketing:
            nudge(TASK_SEND_BULK)

    def _move(self, row: RunRow, step: Progress) -> None:
        if step.arrived_at != row.arrived_at:
            row.stood_still = timedelta(0)
        row.node, row.seq, row.arrived_at = step.node, step.seq, step.arrived_at
        row.held_wake_at = row.due_since = None
        row.wake_at, row.state, row.reason, row.tries = step.wake_at, step.state, step.reason, 0
        row.waiting, row.last_message_at = step.waiting, step.last_message_at
        if step.ended:
            row.active_slot, row.ended_at = None, self.moment

    def _fail(self, row: RunRow, failure: Failure) -> None:
        row.tries = failure.tries
        row.reason = failure.error[:255]
        if failure.tries >= settings.MAX_TRIES:
            row.state, row.wake_at = Enrolment.State.PARKED, None
        else:
            row.wake_at = self.moment + RETRY_AFTER * failure.tries


class DatabaseStore:
    """Due runs of the database.

    Args:
        only: Work on these runs alone, due or announced; for what a dead batch left behind.
    """

    def __init__(self, only: Sequence[int] | None = None) -> None:
        self.only = only
        #: Runs that were claimed and not asked: held, or moved to another version first.
        self.put_aside = 0
        #: Due runs were found, and other runners had all of them before us.
        self.was_late = False

    @contextmanager
    def claim(self, limit: int) -> Iterator[DatabaseBatch]:
        """Announce, lock the contacts, read the due runs again, and commit at the end."""
        moment = clock.now()
        candidates = self._candidates(moment, limit)
        if not candidates:
            yield DatabaseBatch(moment, {}, {}, ())
            return
        attempt = attempts.announce(BatchAttempt.Kind.RUNS, sorted(candidates), moment)
        try:
            with engine_transaction():
                batch, moving = self._locked(candidates, moment)
                self.was_late = not (batch.rows or moving or self.put_aside)
                yield batch
                attempts.done(attempt)
        except (Exception, KeyboardInterrupt):
            # We are alive, so nobody has to clear up behind us. What ends a process is left as a
            # death: Celery ends a step that does not return by SystemExit, and somebody must pay.
            attempts.done(attempt)
            raise
        if moving:
            self.put_aside += transfer.apply_to(moving)

    def _candidates(self, moment: datetime, limit: int) -> dict[int, int]:
        """Ids of due runs with their contacts', read without a lock."""
        rows = Enrolment.objects.filter(state=Enrolment.State.ACTIVE, wake_at__lte=moment)
        if self.only is not None:
            rows = rows.filter(pk__in=self.only)
        else:
            rows = rows.exclude(AnyOf("pk", attempts.busy_ids(BatchAttempt.Kind.RUNS)))
        return dict(rows.order_by("wake_at").values_list("pk", "contact_id")[:limit])

    def _locked(
        self, candidates: dict[int, int], moment: datetime
    ) -> tuple[DatabaseBatch, list[int]]:
        """The batch, and the runs that must be moved to another version before they are asked."""
        people = lock_persons(set(candidates.values()))
        # A second statement with the whole predicate: rows that the first one returned may have
        # moved before the contact was ours.
        rows = lock_due_runs(candidates, people, moment) if people else {}
        held = [rows.pop(pk).pk for pk, row in list(rows.items()) if row.is_held]
        moving = [rows.pop(pk).pk for pk, row in list(rows.items()) if row.is_moving]
        if held:  # left in the queue, they would be found on every tick
            holding.hold_runs(held)
            self.put_aside += len(held)
        return DatabaseBatch(moment, rows, people, due_runs(rows, people, moment)), moving


def lock_persons(ids: Collection[int]) -> dict[int, PersonRow]:
    """Lock these contacts, but those that somebody else holds; by id. One query."""
    people = locked(Contact.objects.filter(AnyOf("pk", ids)), skip_locked=True).order_by("pk")
    rows = tuples(people.values_list("pk", "site_id", "language", "time_zone"))
    return {row[0]: PersonRow(*row) for row in rows}


def lock_due_runs(
    ids: Collection[int], contact_ids: Collection[int], moment: datetime
) -> dict[int, RunRow]:
    """Lock those of these runs that are due now and whose contacts are ours; by id. One query."""
    due = Enrolment.objects.filter(
        AnyOf("pk", ids),
        AnyOf("contact_id", contact_ids),
        state=Enrolment.State.ACTIVE,
        wake_at__lte=moment,
    ).annotate(
        is_held=holding.as_expression(holding.stopped()),
        is_moving=holding.as_expression(transfer.is_moving()),
    )
    rows = tuples(locked(due).order_by("pk").values_list(*READ))
    return {row[0]: RunRow(*row) for row in rows}


@retrying
def _attempt(ids: Sequence[int] | None, limit: int) -> int:
    store = DatabaseStore(only=ids)
    done = run_batch(store, limit) + store.put_aside
    if store.was_late and ids is None:
        # Two runners met at the same rows. Those are announced now: look behind them, once.
        store = DatabaseStore()
        done = run_batch(store, limit) + store.put_aside
    return done


@uncollected
def run_due(limit: int | None = None) -> int:
    """Carry out one batch of due runs.

    An error that does not pass halves the batch until the run at fault stands alone; it is counted
    against that run.

    Returns:
        How many runs were carried out; 0 means that nothing is due.
    """
    limit = limit or settings.BATCH_SIZE
    try:
        return _attempt(None, limit)
    except Exception as error:  # whatever it is, one run must not hold up all others
        moment = clock.now()
        ids = list(DatabaseStore()._candidates(moment, limit))
        logger.warning("A batch of %d runs failed; halving it", len(ids), exc_info=error)
        return _halve(ids) if ids else 0


def _halve(ids: Sequence[int]) -> int:
    if len(ids) == 1:
        run_singly(ids)
        return 1
    middle = len(ids) // 2
    moved = 0
    for part in (ids[:middle], ids[middle:]):
        try:
            moved += _attempt(part, len(part))
        except Exception as error:
            logger.info("Halving %d runs after %s", len(part), type(error).__name__)
            moved += _halve(part)
    return moved


def run_singly(enrolment_ids: Sequence[int]) -> None:
    """Try the runs of a dead batch one by one; each pays for the attempt before it is made.

    Those that have paid least come first: whoever kills its worker holds up nobody for long.
    """
    rows = Enrolment.objects.filter(pk__in=enrolment_ids).order_by("tries", "pk")
    for pk in list(rows.values_list("pk", flat=True)):
        if not _charge(pk):
            continue
        try:
            _attempt([pk], 1)
        except Exception as error:
            # Charged already; once its tries are used up, the next round parks it.
            logger.warning("Run %d fails", pk, exc_info=error)
            later = clock.now() + RETRY_AFTER
            Enrolment.objects.filter(pk=pk, state=Enrolment.State.ACTIVE).update(
                reason=f"{type(error).__name__}: {error}"[:255], wake_at=later
            )


@retrying
def _charge(pk: int) -> bool:
    """Count an attempt against a due run, or park it; says whether to go on with it."""
    with engine_transaction():
        # Due, too: one that has moved on since the batch died has nothing to pay for.
        rows = Enrolment.objects.filter(
            pk=pk, state=Enrolment.State.ACTIVE, wake_at__lte=clock.now()
        )
        row = locked(rows, skip_locked=True).first()
        if row is None:
            return False
        row.tries += 1
        if row.tries > settings.MAX_TRIES:
            row.state, row.wake_at = Enrolment.State.PARKED, None
            row.reason = row.reason or gettext_noop("The worker died three times at this step.")
            pulse.of_runs(clock.now(), errors=[row.pk])
        row.save(update_fields=["tries", "state", "wake_at", "reason"])
        return row.state == Enrolment.State.ACTIVE
