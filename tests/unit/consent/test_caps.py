"""When one more message fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wagtail_triggers.consent.caps import Cap, Use, fits_at, longest_window

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


def ago(*hours: float, channel: str = "email") -> list[Use]:
    return [Use(channel, NOON - timedelta(hours=one)) for one in hours]


def test_cap_that_is_not_reached_lets_a_message_leave_now() -> None:
    assert fits_at([Cap(3, WEEK)], ago(1, 2), "email", NOON) == NOON


def test_cap_that_is_reached_names_the_moment_at_which_the_oldest_no_longer_counts() -> None:
    assert fits_at([Cap(2, WEEK)], ago(1, 30), "email", NOON) == NOON + WEEK - 30 * HOUR


def test_cap_that_was_lowered_waits_for_as_many_as_are_over_it() -> None:
    uses = ago(1, 2, 3)
    assert fits_at([Cap(1, DAY)], uses, "email", NOON) == NOON + 23 * HOUR


def test_cap_window_is_half_open_so_that_exactly_a_week_later_fits() -> None:
    uses = [Use("email", NOON - WEEK)]
    assert fits_at([Cap(1, WEEK)], uses, "email", NOON) == NOON
    just_inside = [Use("email", NOON - WEEK + timedelta(microseconds=1))]
    assert fits_at([Cap(1, WEEK)], just_inside, "email", NOON) > NOON


def test_cap_of_a_channel_counts_that_channel_alone() -> None:
    caps = [Cap(1, DAY, "sms")]
    assert fits_at(caps, ago(1), "sms", NOON) == NOON
    assert fits_at(caps, ago(1, channel="sms"), "email", NOON) == NOON
    assert fits_at(caps, ago(1, channel="sms"), "sms", NOON) == NOON + 23 * HOUR


def test_caps_together_fit_when_the_last_of_them_does() -> None:
    caps = [Cap(1, DAY), Cap(2, WEEK)]
    assert fits_at(caps, ago(1, 30), "email", NOON) == NOON + WEEK - 30 * HOUR
    assert longest_window(caps) == WEEK
    assert longest_window([]) == timedelta(0)


@given(
    st.lists(st.integers(0, 60 * 24 * 20), max_size=30),
    st.integers(1, 5),
    st.integers(1, 24 * 10),
)
def test_messages_sent_when_they_fit_never_exceed_any_window(
    wishes: list[int], limit: int, hours: int
) -> None:
    window = timedelta(hours=hours)
    sent: list[datetime] = []
    for minutes in sorted(wishes):
        wish = NOON + timedelta(minutes=minutes)
        uses = [Use("email", at) for at in sent]
        at = fits_at([Cap(limit, window)], uses, "email", max([wish, *sent]))
        sent.append(at)
        assert sum(at - window < one <= at for one in sent) <= limit
        before = at - timedelta(microseconds=1)
        if at > max([wish, *sent[:-1]]):  # it was put off, and not for longer than it had to be
            assert sum(before - window < one <= before for one in sent[:-1]) >= limit
