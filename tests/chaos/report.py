"""What a run came to: the checker that joins the ledger with the sink's log, and the last line."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count

from wagtail_triggers.core import clock
from wagtail_triggers.messages.models import Message


@dataclass
class Report:
    """The figures of a run, and the promises that it broke.

    Attributes:
        name: The scenario's.
        seed: What the run's randomness began with.
        lost: Messages that nobody got and no reason explains: not settled, or said to be accepted
            and not in the sink's log, or never planned.
        duplicates: Deliveries beyond the first of each message.
        unknown: Messages parked because nobody knows whether they left.
        expected: Messages that had to be planned.
        settled: Those of them in one terminal state, with a reason where it is not `accepted`.
    """

    name: str
    seed: int
    lost: int = 0
    duplicates: int = 0
    unknown: int = 0
    expected: int = 0
    settled: int = 0
    kills: int = 0
    seconds: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    where: str = ""

    def demand(self, holds: bool, promise: str) -> None:
        """Note a promise that did not hold."""
        if not holds:
            self.broken.append(promise)

    def count(self, expected: int, deliveries: Mapping[str, int]) -> None:
        """Join the ledger with what was delivered.

        Args:
            expected: How many messages the run had to plan.
            deliveries: How often the sink delivered each message, by its public id.
        """
        rows = list(Message.objects.values_list("public_id", "state", "reason"))
        terminal = {str(state) for state in Message.TERMINAL}
        self.expected = expected
        self.settled = sum(
            state in terminal and (state == "accepted" or bool(reason))
            for _key, state, reason in rows
        )
        missing = sum(
            state == "accepted" and not deliveries.get(str(key)) for key, state, _reason in rows
        )
        self.lost = missing + max(0, expected - self.settled)
        self.duplicates = sum(count - 1 for count in deliveries.values())
        self.unknown = sum(state == Message.State.UNKNOWN_PARKED for _key, state, _why in rows)
        self.extra["states"] = dict(sorted(Counter(state for _key, state, _why in rows).items()))
        self.extra["planned"] = len(rows)
        self.extra["sending older than its lease"] = self.stale()
        self.demand(len(rows) == expected, f"{expected} messages planned, not {len(rows)}")
        self.demand(self.accounted == 100, "every message in one terminal state with a reason")
        self.demand(self.stale() == 0, "nothing in `sending` after its lease")

    @staticmethod
    def stale() -> int:
        """Messages that somebody dead still holds."""
        held = (Message.State.CLAIMED, Message.State.SENDING)
        return Message.objects.filter(state__in=held, lease_until__lt=clock.now()).count()

    @property
    def accounted(self) -> float:
        """Percent of the expected messages in a terminal state with a reason."""
        return min(100.0, 100 * self.settled / self.expected) if self.expected else 100.0

    def lines(self) -> list[str]:
        """Everything, the one line of figures last."""
        told = [f"  {name}: {value}" for name, value in self.extra.items()]
        told += [f"  NOT KEPT: {promise}" for promise in self.broken]
        return [*told, f"  {self.where}", self.line()]

    def line(self) -> str:
        """The line of figures."""
        accounted = int(self.accounted * 100) / 100  # 99.999 is not 100
        return (
            f"chaos {self.name}: lost={self.lost} duplicates={self.duplicates} "
            f"unknown={self.unknown} accounted={accounted:g}% kills={self.kills} "
            f"seconds={self.seconds:.1f} seed={self.seed}"
        )


def machine() -> str:
    """What it ran on."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"machine: {os.cpu_count()} cores (load {load}), Python {platform.python_version()}, "
        f"PostgreSQL {_postgres_version()} with fsync"
    )


def _postgres_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).split()[0]


def states() -> dict[str, int]:
    """Messages by state."""
    return dict(Message.objects.values_list("state").annotate(Count("pk")).order_by())
