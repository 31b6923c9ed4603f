"""A shop whose checkouts go on while something is broken, and what they were told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, connection, transaction

from tests.shop import line, order
from wagtail_triggers.api import Who


class Checkouts:
    """Threads that place one order after the other, each in a transaction of its own.

    Args:
        count: Orders in all.
        rate: Orders a second, of all threads together.
        place: What a checkout does with the name of its customer.
    """

    def __init__(
        self, count: int, rate: float, *, threads: int = 2, place: Callable[[str], None]
    ) -> None:
        self.count = count
        self.pause = threads / rate
        self.place = place
        self.acknowledged: list[str] = []
        #: Checkouts that were told "not now" (503), and try again.
        self.refused = 0
        self.longest = 0.0
        self.longest_refused = 0.0
        self._next = iter(range(count))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                number = next(self._next, None)
            if number is None:
                connection.close()
                return
            self._until_taken(f"o{number}")
            time.sleep(self.pause)

    def _until_taken(self, name: str) -> None:
        for _try in range(1_000):
            began = time.monotonic()
            try:
                self.place(name)
            except DatabaseError:
                connection.close()
                with self._lock:
                    self.refused += 1
                    took = time.monotonic() - began
                    self.longest_refused = max(self.longest_refused, took)
                time.sleep(0.2)
                continue
            with self._lock:
                self.longest = max(self.longest, time.monotonic() - began)
                self.acknowledged.append(name)
            return

    @property
    def open(self) -> bool:
        """Whether customers still come."""
        return any(thread.is_alive() for thread in self._threads)

    def wait(self, seconds: float) -> None:
        """Wait for the last customer."""
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))


def buy(name: str) -> None:
    """A checkout: our event is a row in its transaction."""
    with transaction.atomic():
        who = Who(user_id=name, email=f"{name}@example.com", first_name=name)
        order(name, line(), who=who, dedupe_key=name)
