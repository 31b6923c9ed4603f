"""Frequency caps as arithmetic: given what a person was sent, when does one more fit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` messages in any span of `window`.

    Attributes:
        limit: At least 1.
        window: How long the span is. It rolls: no midnight starts it anew.
        channel: Which messages count; "" for all of them.
    """

    limit: int
    window: timedelta
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """A message that counts: through which channel, and when it left at the latest.

    `final` says that it has left, or may have; otherwise its slot may yet become free.
    """

    channel: str
    at: datetime
    final: bool = True


def fits_at(caps: Iterable[Cap], uses: Sequence[Use], channel: str, moment: datetime) -> datetime:
    """The first moment, not before `moment`, at which one more message fits under all caps.

    Args:
        caps: The site's.
        uses: What the person was sent, in any order.
        channel: Of the message.
        moment: Now.
    """
    soonest = moment
    for cap in caps:
        if cap.channel and cap.channel != channel:
            continue
        counted = sorted(use.at for use in uses if cap.channel in ("", use.channel))
        if len(counted) >= cap.limit:
            # The window is half open: what left exactly so long ago no longer counts.
            soonest = max(soonest, counted[-cap.limit] + cap.window)
    return soonest


def longest_window(caps: Iterable[Cap]) -> timedelta:
    """How far back one must look."""
    return max((cap.window for cap in caps), default=timedelta(0))
