"""How fast a channel's account may send: a token bucket in the database, shared by all workers.

Never more than the limit in any span of its unit: a bucket holds a tenth of the limit, and fills
so slowly that a full bucket and what flows in come to the limit. Marketing leaves a part of the
bucket for transactional messages. Those never wait: they may run into debt, which marketing pays.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ...conf import settings
from ...core.locking import locked
from ...exceptions import ConfigurationError
from ..models import Message, MessageClass, RateBucket
from .collapse import is_overdue

_UNITS: Final = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "day": 86400.0}
_SHAPE: Final = re.compile(r"\s*(\d+)\s*/\s*([a-z]+)\s*")
#: What is overdue goes through a bucket of its own besides.
CATCH_UP: Final = "catch-up:"


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit: so many in so many seconds."""

    count: int
    seconds: float

    @property
    def burst(self) -> int:
        """How many may leave at once."""
        return max(1, self.count // 10)

    @property
    def reserve(self) -> int:
        """How many of these marketing leaves for messages that never wait."""
        return self.burst // 4

    @property
    def flow(self) -> float:
        """How many flow in each second."""
        return (self.count - self.burst + 1) / self.seconds


def parse(text: object, where: str) -> Rate:
    """Read a limit such as "600/min".

    Args:
        text: The setting's value.
        where: The setting's name, for the error.

    Raises:
        ConfigurationError: It is no limit.
    """
    found = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if found is None or found[2] not in _UNITS or int(found[1]) == 0:
        raise ConfigurationError(
            f'{where} is {text!r}. Write a number and a unit, such as "600/min"; the units are '
            f"{', '.join(_UNITS)}."
        )
    return Rate(int(found[1]), _UNITS[found[2]])


def rate_of(channel: str) -> Rate | None:
    """The limit of a channel's account; None where there is none."""
    spec = settings.CHANNELS.get(channel)
    text = spec.get("RATE") if isinstance(spec, dict) else None
    return parse(text, f"WAGTAIL_TRIGGERS_CHANNELS[{channel!r}]['RATE']") if text else None


def catch_up_rate() -> Rate | None:
    """The limit of what is overdue, for each channel; None where there is none."""
    text = settings.CATCH_UP_RATE
    return parse(text, "WAGTAIL_TRIGGERS_CATCH_UP_RATE") if text else None


@dataclass(slots=True)
class Room:
    """How many marketing messages of each channel may be claimed now.

    `open` holds channels with a limit; a channel without one has room for all.
    """

    fresh: dict[str, int] = field(default_factory=dict)
    overdue: dict[str, int] = field(default_factory=dict)

    def full(self) -> list[str]:
        """Channels through which no marketing may leave at all."""
        return [name for name, left in self.fresh.items() if left < 1]

    def full_for_overdue(self) -> list[str]:
        """Channels through which nothing that is overdue may leave."""
        late = [name for name, left in self.overdue.items() if left < 1]
        return sorted({*late, *self.full()})


def room(moment: datetime) -> Room:
    """Look how much room there is, without a lock; at most one query."""
    limits = {name: rate for name in settings.CHANNELS if (rate := rate_of(name)) is not None}
    late = catch_up_rate()
    names = [*limits, *(f"{CATCH_UP}{name}" for name in settings.CHANNELS if late)]
    if not names:
        return Room()
    rows = {row.name: row for row in RateBucket.objects.filter(name__in=names)}
    found = Room()
    for name, rate in limits.items():
        found.fresh[name] = _for_marketing(_tokens(rows.get(name), rate, moment), rate)
    if late is not None:
        for name in settings.CHANNELS:
            tokens = _tokens(rows.get(f"{CATCH_UP}{name}"), late, moment)
            found.overdue[name] = max(0, math.floor(tokens))
    return found


def grant(rows: Sequence[Message], moment: datetime) -> set[int]:
    """Take a token for each message that may leave under its channel's limits.

    Args:
        rows: Marketing messages about to be claimed, the most important first, as they were found.
        moment: Now.

    Returns:
        Places in `rows` that may leave. The buckets stay locked until the transaction ends.
    """
    late = catch_up_rate()
    places: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[row.channel].append(place)
    granted: set[int] = set()
    for channel, own in sorted(places.items()):
        overdue = [place for place in own if late and is_overdue(rows[place], moment)]
        if late is not None and overdue:
            left = _take(f"{CATCH_UP}{channel}", late, len(overdue), moment, reserve=0)
            own = [place for place in own if place not in set(overdue[left:])]
        rate = rate_of(channel)
        if rate is not None:
            own = own[: _take(channel, rate, len(own), moment, reserve=rate.reserve)]
        granted |= set(own)
    return granted


def charge(rows: Collection[Message], moment: datetime) -> None:
    """Take tokens for messages that never wait, into debt if need be."""
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.channel] += 1
    for channel, count in sorted(counts.items()):
        rate = rate_of(channel)
        if rate is not None:
            _take(channel, rate, count, moment, reserve=None)


def pause(moment: datetime) -> float:
    """Seconds until marketing that is due and has no room finds some; 0.0 where nothing waits."""
    found = room(moment)
    full = {*found.full(), *found.full_for_overdue()}
    waiting = Message.objects.filter(
        message_class=MessageClass.MARKETING,
        due_at__lte=moment,
        state__in=Message.WAITING,
        channel__in=full,
    )
    if not full or not waiting.exists():
        return 0.0
    flows = [rate.flow for name in full if (rate := rate_of(name)) is not None]
    late = catch_up_rate()
    flows += [late.flow] if late is not None else []
    return 1 / min(flows)


def _take(name: str, rate: Rate, wanted: int, moment: datetime, *, reserve: int | None) -> int:
    """Take tokens; all that are wanted where `reserve` is None. Returns how many were taken."""
    row = locked(RateBucket.objects.filter(name=name)).first()
    tokens = _tokens(row, rate, moment)
    free = wanted if reserve is None else max(0, math.floor(tokens - reserve))
    taken = min(wanted, free)
    if row is None:
        RateBucket.objects.create(name=name, tokens=tokens - taken, at=moment)
    elif taken:
        row.tokens, row.at = tokens - taken, max(row.at, moment)
        row.save(update_fields=["tokens", "at"])
    return taken


def _tokens(row: RateBucket | None, rate: Rate, moment: datetime) -> float:
    if row is None:
        return float(rate.burst)
    flowed = max(0.0, (moment - row.at).total_seconds()) * rate.flow
    return min(float(rate.burst), row.tokens + flowed)


def _for_marketing(tokens: float, rate: Rate) -> int:
    return max(0, math.floor(tokens - rate.reserve))
