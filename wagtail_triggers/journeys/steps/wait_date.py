"""Wait until a date in the data: a birthday, the day of a delivery, so long before or after."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, model_validator

from ..clock_times import ClockTime, on_day, spoken
from ..comparisons import as_time
from ..condition_leaves import EventData, Fact
from ..durations import Duration, at_wall_clock
from ..problems import Problem
from .base import ANY_EVENT, Port, Run, Step, StepSettings, Surroundings
from .decisions import Advance, Decision, Park, WaitUntil
from .registry import register_step
from .wait_time import MOVES

TOO_FAR: Final = gettext_noop(
    "The date lies thousands of years ahead. Correct it, and let the run try again."
)
#: Offsets and time zones must not lead out of the calendar.
_LAST_YEAR: Final = 9900


class WaitDateSettings(StepSettings):
    """Either a `fact` or a field of the `event`; see `docs/reference/graph.md` for the rest."""

    fact: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    event: Annotated[
        str | None, Field(min_length=1, max_length=500, json_schema_extra={"names": "event_field"})
    ] = None
    at: ClockTime | None = "09:00"
    offset: Duration | None = None
    side: Literal["before", "after"] = "after"
    yearly: bool = False
    feb29: Literal["feb28", "mar1"] = "feb28"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.fact is None) == (self.event is None):
            raise ValueError(_t("Give either a “fact” or a field of the “event”, and not both."))
        return self


@register_step
class WaitDateStep(Step[WaitDateSettings]):
    """Holds the run until the date, counted where the person lives."""

    identifier = "wait_date"
    label = _("Wait until a date")
    description = _("Holds the person here until a birthday, a delivery, so long before or after.")
    icon = "calendar"
    Settings = WaitDateSettings

    def ports(self) -> tuple[Port, ...]:
        """Return "next", "missing" and, unless it comes round every year, "past"."""
        found = (Port("next", _("On the date")), Port("missing", _("No date is known")))
        return found if self.settings.yearly else (*found, Port("past", _("It is over already")))

    def decide(self, run: Run) -> Decision:
        """Wait for the date as it stands now: it may have changed since the run was asked."""
        value = self._value(run)
        if value is None:
            return Advance("missing")
        if value.year > _LAST_YEAR:
            return Park(TOO_FAR)
        if self.settings.yearly:
            until = self._next_round(value, run)
        else:
            until = self._moment(value, run.time_zone)
            if until < run.arrived_at:
                return Advance("past")
        return Advance() if run.moment >= until else WaitUntil(until)

    def _value(self, run: Run) -> date | datetime | None:
        """The date as the data has it."""
        if self.settings.fact is not None:
            return as_time(run.contact.get(self.settings.fact))
        found = EventData(self.settings.event or "", "is_set").values(run)
        return next((value for one in found if (value := as_time(one)) is not None), None)

    def _moment(self, value: date | datetime, zone: ZoneInfo) -> datetime:
        """The moment of a date: at the time of day that was set, so long before or after it."""
        at, offset = self.settings.at, self.settings.offset
        if isinstance(value, datetime) and at is None:
            moment = value if value.tzinfo else at_wall_clock(value.replace(fold=0), zone)
        else:
            day = _local_day(value, zone)
            wall = datetime.combine(day, datetime.min.time())
            moment = on_day(day, at or "00:00", zone) or at_wall_clock(wall, zone)
        if offset is None:
            return moment
        shift = offset.before if self.settings.side == "before" else offset.after
        return shift(moment, zone)

    def _next_round(self, value: date | datetime, run: Run) -> datetime:
        """The first yearly occurrence after arrival; none comes before the date itself."""
        zone, offset = run.time_zone, self.settings.offset
        reach = 2 + (offset.span().days // 365 if offset else 0)
        year = run.arrived_at.astimezone(zone).year
        years = range(max(value.year, year - reach), max(value.year, year) + reach + 1)
        rounds = (
            self._moment(_in_year(value, one, zone, self.settings.feb29), zone) for one in years
        )
        return next(moment for moment in rounds if moment > run.arrived_at)

    def wakes_on(self) -> frozenset[str]:
        """Return every event where it waits for a fact, since any may tell a new one."""
        return frozenset({ANY_EVENT}) if self.settings.fact is not None else MOVES

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Wait until 3 days before birthday, every year, at 9:00"."""
        s = self.settings
        words = s.fact or _t("the event's %(field)s") % {"field": s.event}
        if s.offset is not None:
            form = (
                _t("%(time)s before %(date)s")
                if s.side == "before"
                else _t("%(time)s after %(date)s")
            )
            words = form % {"time": s.offset.describe(), "date": words}
        if s.yearly:
            words = _t("%(date)s, whenever it next comes round") % {"date": words}
        if s.at is not None:
            words = _t("%(date)s, at %(time)s") % {"date": words, "time": spoken(s.at)}
        return _t("Wait until %(date)s") % {"date": words}

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield an unknown fact or field, and a fact that is no date."""
        if self.settings.event is not None:
            yield from EventData(self.settings.event, "is_set").problems(surroundings, triggers)
            return
        name: Any = self.settings.fact
        yield from Fact(name, "is_set").problems(surroundings, triggers)
        kind = surroundings.facts().get(name)
        if kind not in (None, "date", "datetime"):
            message = _t("“%(name)s” is no date. Choose a fact that is one.") % {"name": name}
            yield Problem("", "fact", message)


def _local_day(value: date | datetime, zone: ZoneInfo) -> date:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(zone).date() if value.tzinfo else value.date()


def _in_year(value: date | datetime, year: int, zone: ZoneInfo, feb29: str) -> date | datetime:
    """The same day of another year, as a local date or a local moment."""
    local = value
    if isinstance(value, datetime):
        local = (value.astimezone(zone) if value.tzinfo else value).replace(tzinfo=None)
    if (local.month, local.day) != (2, 29) or calendar.isleap(year):
        return local.replace(year=year)
    if feb29 == "feb28":
        return local.replace(year=year, day=28)
    return local.replace(year=year, month=3, day=1)
