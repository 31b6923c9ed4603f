"""Golden cases of waits, worked out by hand from the tables of the time zone database.

Each row: kind of step, settings, facts, zone, arrival, and what the step must say: the moment at
which the run goes on, NOW where it does not wait, or the port through which it leaves at once.
Moments are written with their offset, so that the overlap's first and second hour can be told
apart. May a value be doubted, `test_waits.py` finds the wall clock ones again by walking minute by
minute through the zone.

| zone | 2026 |
|---|---|
| Europe/Berlin | 29 March 02:00 to 03:00; 25 October 03:00 to 02:00 |
| America/New_York | 8 March 02:00 to 03:00; 1 November 02:00 to 01:00 |
| Australia/Lord_Howe | 5 April 02:00 to 01:30; 4 October 02:00 to 02:30 |
| Africa/Casablanca | 15 February 03:00 to 02:00; 22 March 02:00 to 03:00 |
| Antarctica/Troll | 29 March 01:00 to 03:00; 25 October 03:00 to 01:00 |
| America/Santiago | 4 April 24:00 to 23:00; 6 September 00:00 to 01:00 |
| Pacific/Apia | 30 December 2011 never was |
"""

from __future__ import annotations

from typing import Any, NamedTuple

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
CASABLANCA, TROLL, SANTIAGO = "Africa/Casablanca", "Antarctica/Troll", "America/Santiago"
APIA, KATHMANDU, KIRITIMATI = "Pacific/Apia", "Asia/Kathmandu", "Pacific/Kiritimati"

NOW = "now"


class Case(NamedTuple):
    """One row."""

    kind: str
    settings: dict[str, Any]
    zone: str
    arrived: str
    expected: str
    facts: dict[str, Any] = {}


def wait(amount: int, unit: str) -> dict[str, Any]:
    """Settings of a wait."""
    return {"amount": amount, "unit": unit}


def at(clock: str, *weekdays: str, days: int = 0) -> dict[str, Any]:
    """Settings of a wait until a time of day."""
    return {"at": clock, "weekdays": list(weekdays), "days": days}


def window(opens: str, closes: str, *weekdays: str) -> dict[str, Any]:
    """Settings of a wait for one window."""
    return {"windows": [{"from": opens, "to": closes, "weekdays": list(weekdays)}]}


def on(fact: str = "day", **more: Any) -> dict[str, Any]:
    """Settings of a wait for a date."""
    return {"fact": fact, **more}


def before(amount: int, unit: str, **more: Any) -> dict[str, Any]:
    """The same, so long before it."""
    return on(offset=wait(amount, unit), side="before", **more)


def after(amount: int, unit: str, **more: Any) -> dict[str, Any]:
    """The same, so long after it."""
    return on(offset=wait(amount, unit), side="after", **more)


OFFICE = window("09:00", "18:00", "mon", "tue", "wed", "thu", "fri")
WEEKDAYS_AT_NINE = at("09:00", "mon", "tue", "wed", "thu", "fri")
LEAPLING = {"day": "2000-02-29"}

CASES = [
    # A span of time: days keep the wall clock, hours are elapsed.
    Case("wait", wait(1, "days"), BERLIN, "2026-03-28T09:00+01:00", "2026-03-29T09:00+02:00"),
    Case("wait", wait(24, "hours"), BERLIN, "2026-03-28T09:00+01:00", "2026-03-29T10:00+02:00"),
    Case("wait", wait(1, "days"), BERLIN, "2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00"),
    Case("wait", wait(1, "days"), BERLIN, "2026-10-24T02:30+02:00", "2026-10-25T02:30+02:00"),
    Case("wait", wait(24, "hours"), BERLIN, "2026-10-24T12:00+02:00", "2026-10-25T11:00+01:00"),
    Case("wait", wait(1, "days"), TROLL, "2026-03-28T01:30+00:00", "2026-03-29T03:00+02:00"),
    Case("wait", wait(1, "days"), CASABLANCA, "2026-03-21T02:30+00:00", "2026-03-22T03:00+01:00"),
    Case("wait", wait(1, "days"), APIA, "2011-12-29T10:00-10:00", "2011-12-31T00:00+14:00"),
    Case("wait", wait(24, "hours"), APIA, "2011-12-29T10:00-10:00", "2011-12-31T10:00+14:00"),
    Case("wait", wait(1, "days"), LORD_HOWE, "2026-10-03T02:15+10:30", "2026-10-04T02:30+11:00"),
    Case("wait", wait(1, "days"), SANTIAGO, "2026-09-05T00:00-04:00", "2026-09-06T01:00-03:00"),
    Case("wait", wait(30, "days"), KATHMANDU, "2026-02-27T09:00+05:45", "2026-03-29T09:00+05:45"),
    # A time of day.
    Case("wait_time", at("09:00"), BERLIN, "2026-05-01T08:59:59+02:00", "2026-05-01T09:00+02:00"),
    Case("wait_time", at("09:00"), BERLIN, "2026-05-01T09:00+02:00", "2026-05-02T09:00+02:00"),
    Case("wait_time", at("09:00"), BERLIN, "2026-05-01T09:00:01+02:00", "2026-05-02T09:00+02:00"),
    Case("wait_time", at("00:00"), BERLIN, "2026-05-01T23:59+02:00", "2026-05-02T00:00+02:00"),
    Case("wait_time", at("09:00"), KIRITIMATI, "2026-05-01T18:00+00:00", "2026-05-02T09:00+14:00"),
    Case("wait_time", at("09:00"), KATHMANDU, "2026-05-01T03:00+00:00", "2026-05-01T09:00+05:45"),
    Case("wait_time", at("09:00"), KATHMANDU, "2026-05-01T03:16+00:00", "2026-05-02T09:00+05:45"),
    # … that the clocks leave out: the first valid minute after; the next day again as ever.
    Case("wait_time", at("02:30"), BERLIN, "2026-03-28T12:00+01:00", "2026-03-29T03:00+02:00"),
    Case("wait_time", at("02:30"), BERLIN, "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"),
    Case("wait_time", at("02:30"), NEW_YORK, "2026-03-07T12:00-05:00", "2026-03-08T03:00-04:00"),
    Case("wait_time", at("02:10"), LORD_HOWE, "2026-10-03T12:00+10:30", "2026-10-04T02:30+11:00"),
    Case("wait_time", at("02:59"), TROLL, "2026-03-28T12:00+00:00", "2026-03-29T03:00+02:00"),
    Case("wait_time", at("02:30"), CASABLANCA, "2026-03-21T12:00+00:00", "2026-03-22T03:00+01:00"),
    Case("wait_time", at("00:00"), SANTIAGO, "2026-09-05T12:00-04:00", "2026-09-06T01:00-03:00"),
    # … that comes twice: the first time, and only then.
    Case("wait_time", at("02:30"), BERLIN, "2026-10-24T12:00+02:00", "2026-10-25T02:30+02:00"),
    Case("wait_time", at("02:30"), BERLIN, "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
    Case("wait_time", at("02:30"), BERLIN, "2026-10-25T02:15+01:00", "2026-10-26T02:30+01:00"),
    Case("wait_time", at("01:30"), NEW_YORK, "2026-10-31T12:00-04:00", "2026-11-01T01:30-04:00"),
    Case("wait_time", at("01:45"), LORD_HOWE, "2026-04-04T12:00+11:00", "2026-04-05T01:45+11:00"),
    Case("wait_time", at("01:45"), LORD_HOWE, "2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"),
    Case("wait_time", at("02:30"), CASABLANCA, "2026-02-14T12:00+01:00", "2026-02-15T02:30+01:00"),
    Case("wait_time", at("23:30"), SANTIAGO, "2026-04-04T23:30-03:00", "2026-04-05T23:30-04:00"),
    # … on a day that never was: not at all.
    Case("wait_time", at("09:00"), APIA, "2011-12-29T10:00-10:00", "2011-12-31T09:00+14:00"),
    Case("wait_time", at("09:00", "fri"), APIA, "2011-12-29T10:00-10:00", "2012-01-06T09:00+14:00"),
    # … on weekdays, and some days later. 1 May 2026 is a Friday.
    Case("wait_time", WEEKDAYS_AT_NINE, BERLIN, "2026-05-01T12:00+02:00", "2026-05-04T09:00+02:00"),
    Case("wait_time", WEEKDAYS_AT_NINE, BERLIN, "2026-05-01T08:00+02:00", "2026-05-01T09:00+02:00"),
    Case("wait_time", at("09:00", "fri"), BERLIN, "2026-05-01T10:00+02:00",
         "2026-05-08T09:00+02:00"),
    Case("wait_time", at("09:00", days=1), BERLIN, "2026-05-01T01:00+02:00",
         "2026-05-02T09:00+02:00"),
    Case("wait_time", at("09:00", days=1), NEW_YORK, "2026-05-02T03:00Z", "2026-05-02T09:00-04:00"),
    Case("wait_time", at("09:00", "mon", days=3), BERLIN, "2026-05-01T10:00+02:00",
         "2026-05-04T09:00+02:00"),
    Case("wait_time", at("09:00", "mon", days=4), BERLIN, "2026-05-01T10:00+02:00",
         "2026-05-11T09:00+02:00"),
    # A window: through at once inside, its end excluded; else the next opening.
    Case("wait_window", OFFICE, BERLIN, "2026-05-01T12:00+02:00", NOW),
    Case("wait_window", OFFICE, BERLIN, "2026-05-01T09:00+02:00", NOW),
    Case("wait_window", OFFICE, BERLIN, "2026-05-01T17:59:59+02:00", NOW),
    Case("wait_window", OFFICE, BERLIN, "2026-05-01T18:00+02:00", "2026-05-04T09:00+02:00"),
    Case("wait_window", OFFICE, NEW_YORK, "2026-05-01T12:59:59Z", "2026-05-01T09:00-04:00"),
    Case("wait_window", window("22:00", "06:00"), BERLIN, "2026-05-01T05:59+02:00", NOW),
    Case("wait_window", window("22:00", "06:00"), BERLIN, "2026-05-01T06:00+02:00",
         "2026-05-01T22:00+02:00"),
    Case("wait_window", window("22:00", "06:00", "fri"), BERLIN, "2026-05-02T05:00+02:00", NOW),
    Case("wait_window", window("22:00", "06:00", "fri"), BERLIN, "2026-05-01T05:00+02:00",
         "2026-05-01T22:00+02:00"),
    Case("wait_window", window("00:00", "24:00", "sat"), BERLIN, "2026-05-02T23:59+02:00", NOW),
    Case("wait_window", window("00:00", "24:00", "sat"), BERLIN, "2026-05-03T00:00+02:00",
         "2026-05-09T00:00+02:00"),
    Case("wait_window", window("02:00", "04:00"), BERLIN, "2026-03-29T01:59+01:00",
         "2026-03-29T03:00+02:00"),
    Case("wait_window", window("02:00", "03:00"), BERLIN, "2026-03-29T01:59+01:00",
         "2026-03-30T02:00+02:00"),
    Case("wait_window", window("01:00", "02:30"), BERLIN, "2026-10-25T02:29+02:00", NOW),
    Case("wait_window", window("01:00", "02:30"), BERLIN, "2026-10-25T02:29+01:00",
         "2026-10-26T01:00+01:00"),
    Case("wait_window", window("09:00", "18:00", "fri"), APIA, "2011-12-29T10:00-10:00",
         "2012-01-06T09:00+14:00"),
    # A date in the data.
    Case("wait_date", on(), BERLIN, "2026-05-01T12:00Z", "2026-05-20T09:00+02:00",
         {"day": "2026-05-20"}),
    Case("wait_date", on(at="18:30"), KATHMANDU, "2026-05-01T12:00Z", "2026-05-20T18:30+05:45",
         {"day": "2026-05-20"}),
    Case("wait_date", before(3, "days"), BERLIN, "2026-03-20T12:00Z", "2026-03-27T09:00+01:00",
         {"day": "2026-03-30"}),
    Case("wait_date", after(1, "weeks"), BERLIN, "2026-03-20T12:00Z", "2026-03-30T09:00+02:00",
         {"day": "2026-03-23"}),
    Case("wait_date", before(2, "hours", at=None), BERLIN, "2026-05-01T12:00Z",
         "2026-05-20T13:00+02:00", {"day": "2026-05-20T13:00:00+00:00"}),
    Case("wait_date", on(at=None), NEW_YORK, "2026-05-01T12:00Z", "2026-05-20T00:00-04:00",
         {"day": "2026-05-20"}),
    Case("wait_date", on(at=None), NEW_YORK, "2026-05-01T12:00Z", "2026-05-20T15:00-04:00",
         {"day": "2026-05-20T15:00:00"}),
    Case("wait_date", on(), KIRITIMATI, "2026-05-01T12:00Z", "2026-05-21T09:00+14:00",
         {"day": "2026-05-20T13:00:00+00:00"}),
    Case("wait_date", on(at="02:30"), BERLIN, "2026-03-01T12:00Z", "2026-03-29T03:00+02:00",
         {"day": "2026-03-29"}),
    Case("wait_date", on(at="02:30"), BERLIN, "2026-10-01T12:00Z", "2026-10-25T02:30+02:00",
         {"day": "2026-10-25"}),
    Case("wait_date", on(), APIA, "2011-12-01T12:00Z", "2011-12-31T00:00+14:00",
         {"day": "2011-12-30"}),
    Case("wait_date", on(), BERLIN, "2026-05-20T09:00+02:00", NOW, {"day": "2026-05-20"}),
    Case("wait_date", on(), BERLIN, "2026-05-20T09:00:01+02:00", "past", {"day": "2026-05-20"}),
    Case("wait_date", on(), BERLIN, "2026-05-20T12:00Z", "missing"),
    Case("wait_date", on(), BERLIN, "2026-05-20T12:00Z", "missing", {"day": "soon"}),
    # … that comes round every year.
    Case("wait_date", on(yearly=True), BERLIN, "2026-05-01T12:00Z", "2026-12-10T09:00+01:00",
         {"day": "1815-12-10"}),
    Case("wait_date", on(yearly=True), BERLIN, "2026-12-10T09:00+01:00", "2027-12-10T09:00+01:00",
         {"day": "1815-12-10"}),
    Case("wait_date", before(7, "days", yearly=True), BERLIN, "2026-12-28T12:00Z",
         "2027-12-27T09:00+01:00", {"day": "1990-01-03"}),
    Case("wait_date", before(7, "days", yearly=True), BERLIN, "2026-12-20T12:00Z",
         "2026-12-27T09:00+01:00", {"day": "1990-01-03"}),
    Case("wait_date", after(2, "weeks", yearly=True), BERLIN, "2026-01-02T12:00Z",
         "2026-01-03T09:00+01:00", {"day": "1990-12-20"}),
    Case("wait_date", on(yearly=True), BERLIN, "2026-05-01T12:00Z", "2028-05-20T09:00+02:00",
         {"day": "2028-05-20"}),
    Case("wait_date", on(yearly=True), BERLIN, "2026-05-01T12:00Z", "missing"),
    # … on 29 February, by either rule.
    Case("wait_date", on(yearly=True), BERLIN, "2026-05-01T12:00Z", "2027-02-28T09:00+01:00",
         LEAPLING),
    Case("wait_date", on(yearly=True, feb29="mar1"), BERLIN, "2026-05-01T12:00Z",
         "2027-03-01T09:00+01:00", LEAPLING),
    Case("wait_date", on(yearly=True), BERLIN, "2027-05-01T12:00Z", "2028-02-29T09:00+01:00",
         LEAPLING),
    Case("wait_date", on(yearly=True, feb29="mar1"), BERLIN, "2027-05-01T12:00Z",
         "2028-02-29T09:00+01:00", LEAPLING),
    Case("wait_date", on(yearly=True), BERLIN, "2099-05-01T12:00Z", "2100-02-28T09:00+01:00",
         LEAPLING),
    Case("wait_date", before(1, "days", yearly=True, feb29="mar1"), BERLIN, "2026-05-01T12:00Z",
         "2027-02-28T09:00+01:00", LEAPLING),
]  # fmt: skip
