"""Threads with database connections of their own, and a look at who waits for whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, connections

T = TypeVar("T")

#: Seconds after which a thread that should have ended counts as hung.
PATIENCE = 30.0


class Strand(threading.Thread):
    """One function in a thread of its own, with a connection that is closed when it ends."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.function = function
        self.result: Any = None
        self.error: BaseException | None = None
        #: PostgreSQL's number of this strand's connection, once it runs.
        self.backend = 0
        self.start()

    def run(self) -> None:
        """Carry the function out and keep what it returns or raises."""
        try:
            connection.ensure_connection()
            if connection.vendor == "postgresql":
                self.backend = connection.connection.info.backend_pid
            self.result = self.function()
        except BaseException as error:  # it is raised again in `wait`
            self.error = error
        finally:
            connections.close_all()

    def wait(self, patience: float = PATIENCE) -> Any:
        """The function's result; raises what it raised, or AssertionError if it hangs."""
        self.join(patience)
        assert not self.is_alive(), f"{self.function} hangs"
        if self.error is not None:
            raise self.error
        return self.result

    def is_blocked(self) -> bool:
        """Whether this strand's connection waits for a lock at this moment."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_blocking_pids(%s)", [self.backend])
            (blockers,) = cursor.fetchone()
        return bool(blockers)

    def settled(self) -> str:
        """Wait until it has ended or waits for a lock: "done" or "blocked"."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            if not self.is_alive():
                return "done"
            if self.backend and self.is_blocked():
                return "blocked"
            time.sleep(0.01)
        raise AssertionError(f"{self.function} neither ended nor waits for a lock")


def together(*functions: Callable[[], T], patience: float = PATIENCE) -> list[T]:
    """Start all functions at the same moment, each with its own connection; their results."""
    gate = threading.Barrier(len(functions))

    def gated(function: Callable[[], T]) -> Callable[[], T]:
        def run() -> T:
            gate.wait(PATIENCE)
            return function()

        return run

    strands = [Strand(gated(function)) for function in functions]
    return [strand.wait(patience) for strand in strands]


@contextmanager
def holding(function: Callable[[], Any]) -> Iterator[Strand]:
    """Carry out `function` in an open transaction of another connection for the block.

    The transaction is committed when the block ends.
    """
    from django.db import transaction

    ready, leave = threading.Event(), threading.Event()

    def hold() -> Any:
        with transaction.atomic():
            result = function()
            ready.set()
            assert leave.wait(PATIENCE)
            return result

    strand = Strand(hold)
    give_up = time.monotonic() + PATIENCE
    while not ready.wait(0.05):
        if not strand.is_alive() or time.monotonic() > give_up:
            strand.wait()
            raise AssertionError(f"{function} did not come to hold anything")
    try:
        yield strand
    finally:
        leave.set()
        strand.wait()
