"""The common lock and the claim that every worker uses.

Whoever changes what may happen to a person takes that contact's row first, `FOR NO KEY UPDATE`.
Never SHARE: with it caps are breached and upgrades deadlock. Never plain `FOR UPDATE`: a contact
with an uncommitted event that points to it would be skipped or waited for.
"""

from __future__ import annotations

import functools
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import Model, QuerySet

logger = logging.getLogger("wagtail_triggers.locking")

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Model)

LOCK_TIMEOUT_MS: Final = 5_000
IDLE_TIMEOUT_MS: Final = 60_000
ATTEMPTS: Final = 5

#: Deadlock and serialisation failure; lock timeout; a row that somebody else inserted in the same
#: moment and that is found on the next try (two people's events name one new cart). MySQL: 1213,
#: 1205, 1062. SQLite, with its one writer, says in words that it is locked.
_RETRY_SQLSTATES: Final = {"40P01", "40001", "55P03", "23505"}
_RETRY_MYSQL: Final = {1213, 1205, 1062}


def locked(
    rows: QuerySet[M], *, skip_locked: bool = False, of: tuple[str, ...] = ()
) -> QuerySet[M]:
    """Lock the rows of a queryset `FOR NO KEY UPDATE`, as far as the database can.

    Args:
        rows: The rows to lock; must be evaluated inside a transaction.
        skip_locked: Leave out rows that somebody else holds instead of waiting for them.
        of: Relations to lock, for a joined query; ignored where the database lacks `OF`.

    Returns:
        The same rows, locking. SQLite has one writer, so nothing is added there.
    """
    features = connection.features
    if not features.has_select_for_update:
        return rows
    options: dict[str, Any] = {}
    if features.has_select_for_no_key_update:
        options["no_key"] = True
    if skip_locked and features.has_select_for_update_skip_locked:
        options["skip_locked"] = True
    if of and features.has_select_for_update_of:
        options["of"] = of
    return rows.select_for_update(**options)


@contextmanager
def engine_transaction() -> Iterator[None]:
    """A transaction that neither waits for a lock for ever nor leaves one behind when it idles."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true),"
                    " set_config('idle_in_transaction_session_timeout', %s, true)",
                    [str(LOCK_TIMEOUT_MS), str(IDLE_TIMEOUT_MS)],
                )
        yield


def is_transient(error: BaseException) -> bool:
    """Whether running the whole transaction again may help: deadlock, lock wait, a twin row."""
    cause = error.__cause__ or error
    if getattr(cause, "sqlstate", None) in _RETRY_SQLSTATES:
        return True
    if isinstance(error, DatabaseError) and cause.args and cause.args[0] in _RETRY_MYSQL:
        return True
    if isinstance(error, OperationalError):
        return "database is locked" in str(error) or "database table is locked" in str(error)
    return False


def retrying(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function that owns its transaction again, up to 5 times, after a transient failure.

    The wait between attempts has full jitter (at most 50 ms times the attempt). Inside somebody
    else's transaction the first failure is raised: that transaction is already lost.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return function(*args, **kwargs)
            except DatabaseError as error:
                if attempt == ATTEMPTS or connection.in_atomic_block or not is_transient(error):
                    raise
                logger.info("Retrying after %s (attempt %d)", type(error).__name__, attempt)
                time.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable: the loop returns or raises")

    return wrapper
