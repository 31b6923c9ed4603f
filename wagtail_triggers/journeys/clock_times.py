"""Clock times, weekdays and windows as an editor writes them, on the days of a person's zone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .durations import Duration, at_wall_clock

#: A time of day, "09:00" to "23:59".
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
#: The end of a window; "24:00" is the end of the day.
ClosingTime = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

#: In the order of `date.weekday()`.
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES: Final = {
    "mon": _("Monday"),
    "tue": _("Tuesday"),
    "wed": _("Wednesday"),
    "thu": _("Thursday"),
    "fri": _("Friday"),
    "sat": _("Saturday"),
    "sun": _("Sunday"),
}
#: One week, and another for a day that a zone left out.
_DAYS_AHEAD: Final = 15

_DAY: Final = timedelta(days=1)


def on_day(day: date, clock: str, zone: ZoneInfo) -> datetime | None:
    """Return the moment, in UTC, of a clock time on a day of `zone`; None if there is no such day.

    "24:00" is the beginning of the next day. A time that a change of clocks leaves out becomes the
    first valid minute after it; one that comes twice is taken the first time.
    """
    start = at_wall_clock(datetime.combine(day, time()), zone)
    if start.astimezone(zone).date() != day:
        return None  # Samoa had no 30 December 2011
    if clock == "24:00":
        return at_wall_clock(datetime.combine(day + _DAY, time()), zone)
    return at_wall_clock(datetime.combine(day, time.fromisoformat(clock)), zone)


def next_time(
    after: datetime, clock: str, zone: ZoneInfo, *, weekdays: Iterable[str] = (), days: int = 0
) -> datetime:
    """Return the first moment after `after` at which clocks in `zone` show `clock`.

    Args:
        after: Aware; the moment itself does not count.
        clock: The time of day.
        zone: The person's.
        weekdays: Only on these; on all of them if empty.
        days: Not before so many days after the day of `after`.
    """
    wanted = frozenset(weekdays)
    day = after.astimezone(zone).date() + days * _DAY
    for number in range(_DAYS_AHEAD):
        one = day + number * _DAY
        if wanted and WEEKDAYS[one.weekday()] not in wanted:
            continue
        moment = on_day(one, clock, zone)
        if moment is not None and moment > after:
            return moment
    raise AssertionError("unreachable: a zone does not leave out two weeks")


def jitter_of(jitter: Duration | None, enrolment_id: int, node: str) -> timedelta:
    """Return how much of `jitter` this run waits at this node: whole seconds, always the same.

    It is drawn by hash, so that a run that is asked again gets the same answer, in every process.
    """
    if jitter is None:
        return timedelta()
    digest = hashlib.sha256(f"jitter\0{enrolment_id}\0{node}".encode()).digest()
    seconds = int(jitter.span().total_seconds()) + 1
    return timedelta(seconds=int.from_bytes(digest[:8], "big") * seconds // 2**64)


class Window(BaseModel):
    """A part of the day, on some weekdays; one that closes before it opens closes the next day.

    The weekdays are those on which it opens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: Annotated[ClockTime, Field(alias="from")]
    closes: Annotated[ClosingTime, Field(alias="to")]
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.opens == self.closes:
            raise ValueError(
                _t("This window opens and closes at once. A whole day is “00:00” to “24:00”.")
            )
        return self

    def openings(self, around: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """Yield when it opens and closes, in order: from the day before `around` on, two weeks."""
        first = around.astimezone(zone).date() - _DAY
        for number in range(_DAYS_AHEAD + 1):
            day = first + number * _DAY
            if self.weekdays and WEEKDAYS[day.weekday()] not in self.weekdays:
                continue
            opens = on_day(day, self.opens, zone)
            if opens is None:
                continue
            last = day + _DAY if self.closes <= self.opens else day
            closes = on_day(last, self.closes, zone) or on_day(day, "24:00", zone)
            if closes is not None and closes > opens:
                yield opens, closes

    def describe(self) -> str:
        """Return "9:00 to 18:00 on Monday, Tuesday"."""
        words = _t("%(from)s to %(to)s") % {"from": spoken(self.opens), "to": spoken(self.closes)}
        return on_weekdays(words, self.weekdays)


def on_weekdays(words: str, weekdays: Iterable[str]) -> str:
    """Return `words`, followed by the weekdays in the order of the week, if there are any."""
    given = frozenset(weekdays)
    if not given:
        return words
    names = ", ".join(str(_NAMES[day]) for day in WEEKDAYS if day in given)
    return _t("%(time)s on %(weekdays)s") % {"time": words, "weekdays": names}


def spoken(clock: str) -> str:
    """Return a time of day as the reader's language writes it; "24:00" as it is."""
    if clock == "24:00":
        return clock
    return date_format(datetime.combine(date(2000, 1, 1), time.fromisoformat(clock)), "TIME_FORMAT")
