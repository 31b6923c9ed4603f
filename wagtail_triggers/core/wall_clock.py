"""From what the clocks on a wall show to the moment at which they show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def at_wall_clock(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which clocks in `zone` show `wall` (naive).

    In a gap: the first valid minute after it. In an overlap: the first of the two.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(first, zone) == wall:
        return first
    # In a gap fold=0 reads the offset from before it, and so lands behind it; fold=1 reads the
    # later offset and lands before it. The change of clocks lies between the two: find it.
    low = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = first
    offset_before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == offset_before:
            low = middle
        else:
            high = middle
    return _whole_second(high)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _whole_second(moment: datetime) -> datetime:
    """Return the whole second at or before `moment`; clocks change at whole seconds."""
    return moment.replace(microsecond=0)
