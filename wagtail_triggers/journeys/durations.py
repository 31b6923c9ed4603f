"""Spans of time as an editor says them, and how they are added in a person's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, ConfigDict, Field, model_validator

Unit = Literal["minutes", "hours", "days", "weeks"]

#: About ten years in the smallest unit: far beyond any plan, far below what a datetime can hold.
MAX_AMOUNT = 5_000_000
#: What a span may come to, so that no sum leaves the calendar.
MAX_SPAN = timedelta(days=3653)

UTC_ZONE = ZoneInfo("UTC")


class Duration(BaseModel):
    """An amount of a unit. Days and weeks are calendar time, minutes and hours elapsed time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Annotated[int, Field(gt=0, le=MAX_AMOUNT, strict=True)]
    unit: Unit

    @model_validator(mode="after")
    def _fits_a_calendar(self) -> Self:
        if self.span() > MAX_SPAN:
            raise ValueError(_("This is more than ten years. Choose a shorter time."))
        return self

    def span(self) -> timedelta:
        """Return the plain length, a day counted as 24 hours."""
        return timedelta(**{self.unit: self.amount})

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the moment, in UTC, that lies this long after `moment` (aware).

        Minutes and hours are elapsed time, added in UTC. Days and weeks keep the wall clock of
        `zone`: a local time that a change of clocks leaves out becomes the first valid minute
        after it; one that occurs twice is taken the first time.
        """
        if self.unit in ("minutes", "hours"):
            return moment.astimezone(UTC) + self.span()
        local = moment.astimezone(zone)
        return at_wall_clock(local.replace(tzinfo=None, fold=0) + self.span(), zone)

    def describe(self) -> str:
        """Return the span in words: "1 day", "90 minutes"."""
        n = self.amount
        match self.unit:
            case "minutes":
                words = ngettext("%(n)d minute", "%(n)d minutes", n)
            case "hours":
                words = ngettext("%(n)d hour", "%(n)d hours", n)
            case "days":
                words = ngettext("%(n)d day", "%(n)d days", n)
            case "weeks":
                words = ngettext("%(n)d week", "%(n)d weeks", n)
        return words % {"n": n}


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
