"""Quiet hours as arithmetic on a person's own wall clock, across changes of clocks. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..core.wall_clock import at_wall_clock

#: Windows that follow each other without a gap for longer than this leave no time to send.
FOR_EVER: Final = timedelta(days=15)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of the day.

    Attributes:
        begins: From then on.
        ends: Until then, and no longer; where it is not later than `begins`, of the next day.
        weekdays: The days on which it begins, Monday being 1; empty for every day.
    """

    begins: time
    ends: time
    weekdays: frozenset[int] = frozenset()

    def around(self, moment: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """Beginning and end, in UTC, of each span that could matter in the week from `moment`."""
        today = moment.astimezone(zone).date()
        for days in range(-2, 9):
            day = today + timedelta(days=days)
            if self.weekdays and day.isoweekday() not in self.weekdays:
                continue
            last = day if self.ends > self.begins else day + _DAY
            begin = at_wall_clock(datetime.combine(day, self.begins), zone)
            yield begin, _last_time(datetime.combine(last, self.ends), zone)


def quiet_until(windows: Sequence[Window], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours around `moment` end; None where it is not quiet.

    Windows that touch count as one. Where no end comes within two weeks, the answer is that far.
    """
    end = moment
    while end - moment < FOR_EVER:
        later = max(
            (
                until
                for window in windows
                for begin, until in window.around(end, zone)
                if begin <= end < until
            ),
            default=None,
        )
        if later is None:
            break
        end = later
    return end if end > moment else None


def next_quiet(windows: Sequence[Window], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When it becomes quiet next after `moment`; None where there are no quiet hours."""
    begins = (
        begin
        for window in windows
        for begin, until in window.around(moment, zone)
        if begin > moment and until > begin
    )
    return min(begins, default=None)


def spread(end: datetime, minutes: int, seed: str) -> datetime:
    """A moment within so many minutes after `end`; the same whenever it is asked.

    Args:
        seed: Who: all messages of one person come due at once, so that they compete fairly.
    """
    digest = hashlib.sha256(f"{seed} {end.isoformat()}".encode()).digest()
    share = int.from_bytes(digest[:8]) / 2**64
    return end + timedelta(seconds=round(share * minutes * 60))


def _last_time(wall: datetime, zone: ZoneInfo) -> datetime:
    """As `at_wall_clock`; of two moments that clocks show twice the later: it stays quiet."""
    first = at_wall_clock(wall, zone)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    shown = second.astimezone(zone).replace(tzinfo=None, fold=0)
    return max(first, second) if shown == wall else first
