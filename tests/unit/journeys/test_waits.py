"""Waits against the golden table, and against an independent walk through every zone."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.test import override_settings

from wagtail_triggers.contacts.facts import zone_of
from wagtail_triggers.journeys.clock_times import next_time
from wagtail_triggers.journeys.steps.base import Run, Step
from wagtail_triggers.journeys.steps.decisions import Advance, Decision, WaitUntil
from wagtail_triggers.journeys.steps.registry import steps

from .golden_waits import CASES, NOW, Case, at
from .world import run


def step_of(case: Case) -> Step[Any]:
    kind = steps.get(case.kind)
    return kind(kind.Settings.model_validate(case.settings))


def arrival(case: Case, moment: datetime | None = None) -> Run:
    arrived = datetime.fromisoformat(case.arrived)
    return run(
        contact=case.facts, arrived_at=arrived, moment=moment or arrived, zone=ZoneInfo(case.zone)
    )


def test_golden_table_is_as_long_as_was_promised() -> None:
    assert len(CASES) >= 60
    assert len({case.zone for case in CASES}) >= 8


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.zone}-{case.arrived}")
def test_wait_by_the_golden_table_ends_at_its_moment_and_not_before(case: Case) -> None:
    step = step_of(case)
    if not case.expected[0].isdigit():
        port = "next" if case.expected == NOW else case.expected
        assert step.decide(arrival(case)) == Advance(port)
        return
    until = datetime.fromisoformat(case.expected)
    asked: list[Decision] = [
        step.decide(arrival(case, moment))
        for moment in (datetime.fromisoformat(case.arrived), until - timedelta(seconds=1), until)
    ]
    assert asked == [WaitUntil(until), WaitUntil(until), Advance("next")]


@pytest.mark.parametrize(
    ("own", "site", "project", "expected"),
    [
        ("Asia/Kathmandu", "Europe/Berlin", "America/New_York", "2026-05-02T03:15Z"),
        ("", "Europe/Berlin", "America/New_York", "2026-05-02T07:00Z"),
        ("Mars/Olympus", "Europe/Berlin", "America/New_York", "2026-05-02T07:00Z"),
        ("", "", "America/New_York", "2026-05-01T13:00Z"),
        ("", "../etc/passwd", "America/New_York", "2026-05-01T13:00Z"),
        ("", "", "UTC", "2026-05-02T09:00Z"),
    ],
)
def test_wait_of_a_person_without_a_zone_takes_the_sites_then_the_projects(
    own: str, site: str, project: str, expected: str
) -> None:
    with override_settings(TIME_ZONE=project):
        zone = zone_of(own, site)
    kind = steps.get("wait_time")
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    found = kind(kind.Settings.model_validate(at("09:00"))).decide(
        run(arrived_at=noon, moment=noon, zone=zone)
    )
    assert found == WaitUntil(datetime.fromisoformat(expected))


# Q13: every zone, some years, three wall times.

#: The whole size by TRIGGERS_FULL=1: all zones, five years.
FULL = os.environ.get("TRIGGERS_FULL") == "1"
WALLS = ("00:30", "02:30", "23:30")
FIRST_YEAR, YEARS = (2010, 5) if FULL else (2026, 1)
#: What the small size looks at besides every twentieth zone.
HARD = {
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
    "Pacific/Apia", "Asia/Kathmandu", "Antarctica/Troll", "America/Santiago", "Africa/Cairo",
    "Asia/Beirut", "America/Nuuk", "Pacific/Chatham", "Asia/Gaza", "America/St_Johns",
}  # fmt: skip


def zones() -> list[str]:
    everything = sorted(name for name in available_timezones() if name != "localtime")
    return everything if FULL else sorted({*everything[::20], *HARD} & {*everything})


HALF_AN_HOUR = timedelta(minutes=30)
#: A local day: half hours, each as minutes on its clock and the moment.
Day = list[tuple[int, datetime]]


def local_days(zone: ZoneInfo, start: datetime, end: datetime) -> dict[date, Day]:
    """Every local day between: a walk by half hours that knows no rule of any zone."""
    days: dict[date, Day] = {}
    moment = start
    while moment < end:
        local = moment.astimezone(zone)
        days.setdefault(local.date(), []).append((local.hour * 60 + local.minute, moment))
        moment += HALF_AN_HOUR
    return days


def to_the_minute(moment: datetime, wall: int, zone: ZoneInfo) -> datetime:
    """The first minute of the half hour before `moment` at which that day's clocks show `wall`.

    Goose Bay and St. John's changed their clocks at one minute past midnight.
    """
    day = moment.astimezone(zone).date()
    for minutes in range(29, 0, -1):
        earlier = moment - timedelta(minutes=minutes)
        local = earlier.astimezone(zone)
        if local.date() == day and local.hour * 60 + local.minute >= wall:
            return earlier
    return moment


def expected_fires(days: list[Day], wall: int, zone: ZoneInfo) -> list[datetime]:
    """For each whole local day the first minute at which its clocks show `wall` or later.

    Where the clocks leave out the end of a day (Nuuk goes from 23:00 to midnight), that is the
    midnight which ends it.
    """
    found = []
    for day, following in itertools.pairwise(days):
        minutes, moment = next((one for one in day if one[0] >= wall), (wall, following[0][1]))
        found.append(moment if minutes == wall else to_the_minute(moment, wall, zone))
    return found


def fires(zone: ZoneInfo, wall: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """When a journey goes on that waits for a time of day, over and over."""
    moment = next_time(start, wall, zone)
    while moment < end:
        yield moment
        moment = next_time(moment, wall, zone)


@pytest.mark.timeout(5400)
def test_time_of_day_in_every_zone_comes_exactly_once_a_local_day_and_never_early() -> None:
    start = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(FIRST_YEAR + YEARS, 1, 1, tzinfo=UTC)
    fired, wrong = 0, []
    for name in zones():
        zone = ZoneInfo(name)
        days = [day for _date, day in sorted(local_days(zone, start, end).items())]
        for wall in WALLS:
            minutes = int(wall[:2]) * 60 + int(wall[3:])
            # The first and the last days are cut off by the beginning and the end of the walk.
            wanted = expected_fires(days, minutes, zone)[2:-2]
            found = [one for one in fires(zone, wall, start, end) if wanted[0] <= one <= wanted[-1]]
            fired += len(found)
            wrong += [(name, wall, one) for one in sorted({*found} ^ {*wanted})]
            assert len(found) == len(set(found))
    print(
        f"\n{len(zones())} zones x {YEARS} years x {len(WALLS)} wall times: {fired} fires, each at "
        f"the first minute of its local day that is not early; {len(wrong)} others"
    )
    assert wrong == []
    assert fired >= 360 * YEARS * len(WALLS) * len(zones())
