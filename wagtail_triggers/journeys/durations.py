"""Spans of time as an editor says them, and how they are added in a person's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..core.wall_clock import at_wall_clock

__all__ = ["MAX_AMOUNT", "MAX_SPAN", "UTC_ZONE", "Duration", "Unit", "at_wall_clock"]

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
        return self._shifted(moment, zone, self.span())

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the moment, in UTC, that lies this long before `moment`, by the same rules."""
        return self._shifted(moment, zone, -self.span())

    def _shifted(self, moment: datetime, zone: ZoneInfo, by: timedelta) -> datetime:
        if self.unit in ("minutes", "hours"):
            return moment.astimezone(UTC) + by
        local = moment.astimezone(zone)
        return at_wall_clock(local.replace(tzinfo=None, fold=0) + by, zone)

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
