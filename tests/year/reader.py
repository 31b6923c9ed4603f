"""Reads what left and what waited, and counts what should not have been. Uses none of the engine's
own arithmetic: it has the sink's list, the rows of the ledger, and a wall clock.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.year.plans import CAPS, QUIET_FROM, QUIET_UNTIL, SITE_ZONE, SUNDAY_UNTIL, zone_of
from wagtail_triggers.messages.models import Message

#: A receipt that left later than this after the event that it answers was delayed.
PROMPT = timedelta(minutes=11)
TERMINAL = {"accepted", "failed", "skipped", "expired", "cancelled", "merged", "unknown_parked"}


@dataclass(frozen=True)
class Sent:
    """One thing that the sink was given."""

    at: datetime
    person: int
    marketing: bool
    key: str


@dataclass
class Report:
    """What was found."""

    cap_breaches: int = 0
    quiet_breaches: int = 0
    delayed: int = 0
    inversions: int = 0
    twice: int = 0
    unaccounted: int = 0
    receipts: int = 0
    marketing: int = 0
    waited: int = 0
    expired: int = 0
    cancelled: int = 0

    @property
    def held(self) -> bool:
        """Whether every promise was kept."""
        return not any(
            (self.cap_breaches, self.quiet_breaches, self.delayed, self.inversions, self.twice,
             self.unaccounted)
        )  # fmt: skip


def read(sent: list[Sent], end: datetime) -> Report:
    """Compare what left with what the rules allow, and with what waited at that moment.

    Args:
        sent: The sink's list, in order.
        end: The last moment of the simulation.
    """
    report = Report(twice=len(sent) - len({one.key for one in sent}))
    rows: dict[str, dict[str, Any]] = {
        str(row["public_id"]): dict(row)
        for row in Message.objects.values(
            "public_id", "contact__email", "state", "priority", "planned_at", "settled_at", "pk",
            "message_class", "event__occurred_at", "due_at", "reason", "token",
        )
    }  # fmt: skip
    letters: dict[int, list[Sent]] = defaultdict(list)
    for one in sent:
        if one.marketing:
            letters[one.person].append(one)
            report.quiet_breaches += _is_quiet(one.at, one.person)
        else:
            report.receipts += 1
            begun = rows[one.key]["event__occurred_at"]
            report.delayed += one.at - begun > PROMPT
    report.marketing = sum(map(len, letters.values()))
    report.cap_breaches = sum(_breaches(own) for own in letters.values())
    report.inversions = _inversions(letters, rows, end)
    for row in rows.values():
        report.expired += row["state"] == "expired"
        report.cancelled += row["state"] == "cancelled"
        waited = row["settled_at"] is not None and row["settled_at"] > row["planned_at"]
        report.waited += waited and row["message_class"] == "marketing"
        alive = row["due_at"] is not None and row["due_at"] > end - PROMPT
        report.unaccounted += row["state"] not in TERMINAL and not alive
    accepted = {key for key, row in rows.items() if row["state"] == "accepted"}
    report.unaccounted += len(accepted ^ {one.key for one in sent})
    return report


def _is_quiet(at: datetime, person: int) -> bool:
    local = at.astimezone(ZoneInfo(zone_of(person) or SITE_ZONE))
    clock = local.time()
    if local.isoweekday() == 7 and clock < SUNDAY_UNTIL:
        return True
    return clock >= QUIET_FROM or clock < QUIET_UNTIL


def _breaches(own: list[Sent]) -> int:
    moments = sorted(one.at for one in own)
    return sum(
        sum(at - window < other <= at for other in moments) > limit
        for limit, window in CAPS
        for at in moments
    )


def _inversions(
    letters: dict[int, list[Sent]], rows: dict[str, dict[str, Any]], end: datetime
) -> int:
    """Letters that left while a better one of the same person waited, and went on waiting."""
    waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.values():
        if row["message_class"] == "marketing":
            waiting[row["contact__email"]].append(row)
    return sum(
        any(
            row["planned_at"] <= one.at < (row["settled_at"] or end + PROMPT)
            and _rank(row) < _rank(rows[one.key])
            for row in waiting[f"p{person}@example.com"]
        )
        for person, own in letters.items()
        for one in own
    )


def _rank(row: dict[str, Any]) -> tuple[int, datetime, int]:
    return (-row["priority"], row["planned_at"], row["pk"])
