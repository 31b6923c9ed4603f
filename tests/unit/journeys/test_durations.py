"""Durations: golden cases of adding time in time zones with gaps, overlaps, and none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wagtail_triggers.journeys.durations import Duration, at_wall_clock

BERLIN = "Europe/Berlin"  # 2026: forward 29 March 02:00, back 25 October 03:00
NEW_YORK = "America/New_York"  # 2026: forward 8 March 02:00, back 1 November 02:00
LORD_HOWE = "Australia/Lord_Howe"  # 2026: back half an hour 5 April, forward 4 October 02:00
SHANGHAI = "Asia/Shanghai"  # never


@pytest.mark.parametrize(
    ("zone", "start", "amount", "unit", "expected"),
    [
        # An ordinary day.
        (BERLIN, "2026-05-01T09:00+02:00", 1, "days", "2026-05-02T09:00+02:00"),
        (BERLIN, "2026-05-01T09:00+02:00", 2, "weeks", "2026-05-15T09:00+02:00"),
        (BERLIN, "2026-05-01T09:00+02:00", 90, "minutes", "2026-05-01T10:30+02:00"),
        (BERLIN, "2026-05-01T23:59:59+02:00", 1, "days", "2026-05-02T23:59:59+02:00"),
        (BERLIN, "2026-12-31T08:00+01:00", 1, "days", "2027-01-01T08:00+01:00"),
        # Over the spring change: a day keeps the wall clock, 24 hours do not.
        (BERLIN, "2026-03-28T12:00+01:00", 1, "days", "2026-03-29T12:00+02:00"),
        (BERLIN, "2026-03-28T12:00+01:00", 24, "hours", "2026-03-29T13:00+02:00"),
        (BERLIN, "2026-03-22T12:00+01:00", 1, "weeks", "2026-03-29T12:00+02:00"),
        (BERLIN, "2026-03-29T01:30+01:00", 60, "minutes", "2026-03-29T03:30+02:00"),
        # Into the spring gap: the first valid minute after it.
        (BERLIN, "2026-03-28T02:00+01:00", 1, "days", "2026-03-29T03:00+02:00"),
        (BERLIN, "2026-03-28T02:30+01:00", 1, "days", "2026-03-29T03:00+02:00"),
        (BERLIN, "2026-03-28T02:59:59.5+01:00", 1, "days", "2026-03-29T03:00+02:00"),
        (BERLIN, "2026-03-28T01:59+01:00", 1, "days", "2026-03-29T01:59+01:00"),
        (BERLIN, "2026-03-28T03:00+01:00", 1, "days", "2026-03-29T03:00+02:00"),
        (BERLIN, "2026-03-22T02:30+01:00", 1, "weeks", "2026-03-29T03:00+02:00"),
        # Over and into the autumn overlap: the first of the two.
        (BERLIN, "2026-10-24T12:00+02:00", 1, "days", "2026-10-25T12:00+01:00"),
        (BERLIN, "2026-10-24T12:00+02:00", 24, "hours", "2026-10-25T11:00+01:00"),
        (BERLIN, "2026-10-24T02:30+02:00", 1, "days", "2026-10-25T02:30+02:00"),
        (BERLIN, "2026-10-25T02:30+02:00", 1, "hours", "2026-10-25T02:30+01:00"),
        # From within the overlap, the second time round.
        (BERLIN, "2026-10-25T02:30+01:00", 1, "days", "2026-10-26T02:30+01:00"),
        (BERLIN, "2026-10-25T02:30+02:00", 1, "days", "2026-10-26T02:30+01:00"),
        (NEW_YORK, "2026-03-07T12:00-05:00", 1, "days", "2026-03-08T12:00-04:00"),
        (NEW_YORK, "2026-03-07T12:00-05:00", 24, "hours", "2026-03-08T13:00-04:00"),
        (NEW_YORK, "2026-03-07T02:15-05:00", 1, "days", "2026-03-08T03:00-04:00"),
        (NEW_YORK, "2026-10-31T01:30-04:00", 1, "days", "2026-11-01T01:30-04:00"),
        (NEW_YORK, "2026-10-31T12:00-04:00", 24, "hours", "2026-11-01T11:00-05:00"),
        (NEW_YORK, "2026-11-01T01:30-04:00", 60, "minutes", "2026-11-01T01:30-05:00"),
        # Half an hour only.
        (LORD_HOWE, "2026-10-03T02:15+10:30", 1, "days", "2026-10-04T02:30+11:00"),
        (LORD_HOWE, "2026-10-03T02:30+10:30", 1, "days", "2026-10-04T02:30+11:00"),
        (LORD_HOWE, "2026-10-03T12:00+10:30", 1, "days", "2026-10-04T12:00+11:00"),
        (LORD_HOWE, "2026-10-03T12:00+10:30", 24, "hours", "2026-10-04T12:30+11:00"),
        (LORD_HOWE, "2026-04-04T01:45+11:00", 1, "days", "2026-04-05T01:45+11:00"),
        (LORD_HOWE, "2026-04-04T12:00+11:00", 24, "hours", "2026-04-05T11:30+10:30"),
        # No change of clocks at all: a day is 24 hours.
        (SHANGHAI, "2026-03-28T02:30+08:00", 1, "days", "2026-03-29T02:30+08:00"),
        (SHANGHAI, "2026-10-24T02:30+08:00", 24, "hours", "2026-10-25T02:30+08:00"),
        # 29 February is an ordinary day to count to.
        (BERLIN, "2028-02-28T09:00+01:00", 1, "days", "2028-02-29T09:00+01:00"),
        (BERLIN, "2027-02-28T09:00+01:00", 1, "days", "2027-03-01T09:00+01:00"),
        # A zone that left a whole day out: 30 December 2011 never was.
        ("Pacific/Apia", "2011-12-29T10:00-10:00", 1, "days", "2011-12-31T00:00+14:00"),
        # Midnight that does not exist: Beirut went forward at 00:00.
        ("Asia/Beirut", "2022-03-26T00:00+02:00", 1, "days", "2022-03-27T01:00+03:00"),
    ],
)
def test_duration_added_in_a_zone_gives_the_golden_moment(
    zone: str, start: str, amount: int, unit: str, expected: str
) -> None:
    duration = Duration.model_validate({"amount": amount, "unit": unit})
    got = duration.after(datetime.fromisoformat(start), ZoneInfo(zone))
    assert got == datetime.fromisoformat(expected)
    assert got.tzinfo is UTC


def test_duration_start_given_in_utc_counts_in_the_persons_zone() -> None:
    day = Duration(amount=1, unit="days")
    got = day.after(datetime(2026, 3, 28, 11, tzinfo=UTC), ZoneInfo(BERLIN))
    assert got == datetime(2026, 3, 29, 10, tzinfo=UTC)


@given(
    wall=st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001  wall clocks
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, SHANGHAI, "Pacific/Apia", "Africa/Cairo"]),
)
def test_wall_clock_shows_the_wanted_time_or_the_first_one_after(wall: datetime, zone: str) -> None:
    moment = at_wall_clock(wall, ZoneInfo(zone))
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    assert shown >= wall
    if shown != wall:
        before = (moment - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
        assert before.replace(tzinfo=None, fold=0) < wall
    else:
        assert moment.astimezone(ZoneInfo(zone)).fold == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"amount": 0, "unit": "days"},
        {"amount": -1, "unit": "days"},
        {"amount": 1.5, "unit": "days"},
        {"amount": True, "unit": "days"},
        {"amount": "3", "unit": "days"},
        {"amount": 1, "unit": "months"},
        {"amount": 4000, "unit": "days"},
        {"amount": 10**30, "unit": "minutes"},
        {"amount": 1},
        {"amount": 1, "unit": "days", "jitter": 3},
    ],
)
def test_duration_out_of_form_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Duration.model_validate(settings)


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [
        (1, "minutes", "1 minute"),
        (90, "minutes", "90 minutes"),
        (1, "hours", "1 hour"),
        (3, "days", "3 days"),
        (2, "weeks", "2 weeks"),
    ],
)
def test_duration_in_words_is_singular_or_plural(amount: int, unit: str, words: str) -> None:
    assert Duration.model_validate({"amount": amount, "unit": unit}).describe() == words
