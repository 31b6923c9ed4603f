"""Quiet hours on people's own clocks, on the days on which clocks change as well."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_triggers.consent.quiet import FOR_EVER, Window, next_quiet, quiet_until, spread

NIGHT = Window(time(21), time(8))
BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("windows", "zone", "moment", "until"),
    [
        # Summer time in Berlin is UTC + 2.
        ([NIGHT], "Europe/Berlin", "2026-05-01 18:59:59.999999", None),
        ([NIGHT], "Europe/Berlin", "2026-05-01 19:00", "2026-05-02 06:00"),
        ([NIGHT], "Europe/Berlin", "2026-05-02 05:59:59.999999", "2026-05-02 06:00"),
        ([NIGHT], "Europe/Berlin", "2026-05-02 06:00", None),
        ([NIGHT], "Asia/Tokyo", "2026-05-01 12:00", "2026-05-01 23:00"),
        ([NIGHT], "Pacific/Kiritimati", "2026-05-01 12:00", "2026-05-01 18:00"),
        # Clocks go forward in the night to 29 March: it is an hour shorter.
        ([NIGHT], "Europe/Berlin", "2026-03-28 20:30", "2026-03-29 06:00"),
        # And back in the night to 25 October: an hour longer.
        ([NIGHT], "Europe/Berlin", "2026-10-24 19:30", "2026-10-25 07:00"),
        # An end that clocks leave out: the first minute that there is. One that comes twice: the
        # second time.
        ([Window(time(22), time(2, 30))], "Europe/Berlin", "2026-03-29 00:00", "2026-03-29 01:00"),
        ([Window(time(22), time(2, 30))], "Europe/Berlin", "2026-10-25 00:45", "2026-10-25 01:30"),
        ([Window(time(22), time(2, 30))], "Europe/Berlin", "2026-10-25 01:29", "2026-10-25 01:30"),
        # Only on Sundays (3 May 2026), and in the nights before working days.
        ([Window(time(0), time(23, 59), frozenset({7}))], "UTC", "2026-05-03 12:00",
         "2026-05-03 23:59"),
        ([Window(time(0), time(23, 59), frozenset({7}))], "UTC", "2026-05-02 12:00", None),
        # The weekday is that on which it begins.
        ([Window(time(21), time(8), frozenset({7}))], "UTC", "2026-05-04 07:00",
         "2026-05-04 08:00"),
        # Windows that touch or overlap are one.
        ([Window(time(0), time(12)), Window(time(12), time(18))], "UTC", "2026-05-01 01:00",
         "2026-05-01 18:00"),
        ([], "UTC", "2026-05-01 01:00", None),
    ],
)  # fmt: skip
def test_quiet_hours_end_when_the_persons_clock_says_so(
    windows: list[Window], zone: str, moment: str, until: str | None
) -> None:
    found = quiet_until(windows, utc(moment), ZoneInfo(zone))
    assert found == (utc(until) if until else None)


def test_quiet_hours_without_a_gap_between_them_never_end() -> None:
    always = [Window(time(0), time(12)), Window(time(12), time(0))]
    start = utc("2026-05-01 01:00")
    until = quiet_until(always, start, BERLIN)
    assert until is not None
    assert until - start >= FOR_EVER


def test_next_quiet_hours_begin_tonight_or_on_the_next_chosen_day() -> None:
    assert next_quiet([NIGHT], utc("2026-05-01 12:00"), BERLIN) == utc("2026-05-01 19:00")
    sundays = [Window(time(9), time(10), frozenset({7}))]
    assert next_quiet(sundays, utc("2026-05-03 12:00"), BERLIN) == utc("2026-05-10 07:00")
    assert next_quiet([], utc("2026-05-03 12:00"), BERLIN) is None


def test_spread_is_the_same_each_time_and_within_its_minutes() -> None:
    end = utc("2026-05-01 06:00")
    moments = [spread(end, 30, str(person)) for person in range(500)]
    assert moments == [spread(end, 30, str(person)) for person in range(500)]
    assert min(moments) >= end
    assert max(moments) <= end + timedelta(minutes=30)
    assert len({moment.minute for moment in moments}) >= 29
    assert spread(end, 0, "1") == end


ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo",
     "America/St_Johns", "Pacific/Apia", "UTC"]
)  # fmt: skip


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - Hypothesis wants naive bounds
    ZONES,
    st.times(),
    st.times(),
    st.frozensets(st.integers(1, 7), max_size=6),
)
def test_moment_is_quiet_exactly_when_a_clock_on_the_wall_says_so(
    moment: datetime, zone_name: str, begins: time, ends: time, days: frozenset[int]
) -> None:
    zone, moment = ZoneInfo(zone_name), moment.replace(tzinfo=UTC)
    begins, ends = begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)
    if begins == ends:
        return
    window = Window(begins, ends, days)
    until = quiet_until([window], moment, zone)
    before, after = moment - timedelta(hours=2), moment + timedelta(hours=2)
    if before.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset():
        wall = moment.astimezone(zone)
        inside = (
            begins <= wall.time() < ends if begins < ends
            else wall.time() >= begins or wall.time() < ends
        )  # fmt: skip
        late = begins > ends and wall.time() < ends
        day = (wall - timedelta(days=1) if late else wall).isoweekday()
        assert (until is not None) == (inside and (not days or day in days))
    if until is not None:
        assert quiet_until([window], until, zone) is None or until - moment >= FOR_EVER
    soon = next_quiet([window], moment, zone)
    assert soon is not None
    assert soon > moment
    assert quiet_until([window], soon, zone) is not None
