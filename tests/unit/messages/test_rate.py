"""Sending limits: how they are written, and that a bucket never lets more through."""

from __future__ import annotations

import pytest

from wagtail_triggers.exceptions import ConfigurationError
from wagtail_triggers.messages.policies.rate import Rate, parse


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("600/min", 600, 60.0), ("10/s", 10, 1.0), (" 5 / hour", 5, 3600.0), ("1/day", 1, 86400.0)],
)
def test_rate_is_read_as_it_is_written(text: str, count: int, seconds: float) -> None:
    assert parse(text, "RATE") == Rate(count, seconds)


@pytest.mark.parametrize("text", ["600", "0/min", "ten/min", "5/fortnight", 600, None, "-1/s"])
def test_rate_that_is_none_is_refused_with_what_to_write(text: object) -> None:
    with pytest.raises(ConfigurationError, match=r'Write a number and a unit, such as "600/min"'):
        parse(text, "RATE")


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 99, 600, 12_345])
def test_rate_never_lets_more_than_its_count_through_in_one_unit(count: int) -> None:
    rate = Rate(count, 60.0)
    # A bucket that is full at the beginning, and what flows in until just before the end.
    assert rate.burst - 1 + rate.flow * rate.seconds <= count + 1e-9
    assert 1 <= rate.burst <= count
    assert 0 <= rate.reserve < rate.burst
