"""Comparisons: by type, with a stated answer for everything that is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wagtail_triggers.journeys.comparisons import OPS, VALUELESS, compare

BERLIN = ZoneInfo("Europe/Berlin")
LATE = datetime(2026, 4, 30, 23, 30, tzinfo=UTC)  # 1 May, 01:30 in Berlin


@pytest.mark.parametrize(
    ("actual", "op", "expected", "holds"),
    [
        (3, "gte", 3, True),
        (3, "gt", 3, False),
        (2, "lt", "3", True),
        (Decimal("12.50"), "eq", "12.5", True),
        (Decimal("0.1"), "eq", 0.1, True),
        ("12.50", "lte", "12.5", True),
        ("9", "gt", "10", False),
        ("50", "eq", "50.00", True),
        ("007", "eq", "7", False),
        ("007", "eq", "007", True),
        ("1e3", "eq", "1000", False),
        (-1, "lt", 0, True),
        (float("nan"), "gt", 1, False),
        ("abc", "gt", 1, False),
        ("abc", "gt", "abb", False),
        (True, "eq", True, True),
        (True, "eq", "true", True),
        (False, "eq", True, False),
        (False, "eq", False, True),
        (1, "eq", True, False),
        (True, "eq", 1, False),
        (date(2026, 5, 1), "lt", "2026-05-02", True),
        (date(2026, 5, 1), "eq", "2026-05-01", True),
        ("2026-05-01", "gte", "2026-05-01", True),
        ("2026-13-01", "gte", "2026-05-01", False),
        (LATE, "eq", "2026-05-01", True),
        (LATE, "lt", "2026-05-01", False),
        (LATE, "lt", "2026-05-01T02:00", True),
        (LATE, "gt", "2026-05-01T02:00", False),
        (LATE, "gt", "2026-04-30T23:00:00Z", True),
        ("de", "eq", "de", True),
        ("DE", "eq", "de", False),
        ("de", "ne", "en", True),
        ("de", "ne", "de", False),
        ("Große Tasse", "contains", "GROSSE", True),
        ("mug", "contains", "cup", False),
        ("de", "in", ["en", "de"], True),
        ("fr", "in", ["en", "de"], False),
        ("50.0", "in", [50], True),
        (["A1", "B2"], "eq", "B2", True),
        (["A1", "B2"], "eq", "C3", False),
        (["A1", "B2"], "ne", "B2", False),
        (["A1", "B2"], "ne", "C3", True),
        ([1, 5], "gt", 4, True),
        ({"amount": "5"}, "gt", 4, False),
    ],
)
def test_compare_two_values_follows_their_type(
    actual: Any, op: str, expected: Any, holds: bool
) -> None:
    assert compare(op, actual, expected, BERLIN) is holds


@pytest.mark.parametrize("missing", [None, "", [], [None], [""]])
@pytest.mark.parametrize("op", sorted(OPS.keys() - VALUELESS))
def test_compare_with_a_missing_value_never_holds(op: str, missing: Any) -> None:
    assert compare(op, missing, ["x"] if op == "in" else "1", BERLIN) is False


@pytest.mark.parametrize(
    ("actual", "present"),
    [(None, False), ("", False), ([], False), (0, True), (False, True), ("x", True), ([0], True)],
)
def test_is_set_and_is_not_set_are_opposites(actual: Any, present: bool) -> None:
    assert compare("is_set", actual, None, BERLIN) is present
    assert compare("is_not_set", actual, None, BERLIN) is not present


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**4000),  # longer ones no JSON reader lets in
    st.floats(),
    st.decimals(),
    st.text(max_size=30),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9](Z|[+-]1[0-4]:00)?"),
    st.sampled_from(["0001-01-01T00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", "9999-12-31"]),
    st.dictionaries(st.text(), st.integers(), max_size=2),
)


@given(
    op=st.sampled_from(sorted(OPS)),
    actual=st.one_of(anything, st.lists(anything, max_size=3)),
    expected=anything,
    zone=st.sampled_from(["Europe/Berlin", "Pacific/Apia", "America/New_York", "UTC"]),
)
@example("eq", "0001-01-01T00:00Z", "0001-01-01", "America/New_York")
@example("eq", "9999-12-31T23:59:59Z", "9999-12-31", "Pacific/Apia")
@example("gt", Decimal("sNaN"), 1, "UTC")
def test_compare_of_anything_answers_and_never_raises(
    op: str, actual: Any, expected: Any, zone: str
) -> None:
    wanted = [expected] if op == "in" else expected
    assert compare(op, actual, wanted, ZoneInfo(zone)) in (True, False)
