"""The simulated year in small: `python3 -m tests.year` runs it whole."""

from __future__ import annotations

import os

import pytest

from tests.year.reader import Report
from tests.year.simulate import simulate

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

#: More than the week of the widest cap.
PEOPLE, DAYS, SEED = 25, 9, 7
#: Takes every policy away in turn; CI has the time for one.
FULL = bool(os.environ.get("TRIGGERS_FULL"))


def lived(without: str = "") -> Report:
    """So many people's weeks."""
    found = simulate(PEOPLE, DAYS, SEED, without=without)
    print(f"\nyear without {without or 'nothing'}: {found}")
    return found


def test_weeks_of_many_journeys_break_no_cap_no_night_no_lane_and_no_priority() -> None:
    found = lived()
    assert found.held
    assert found.marketing > PEOPLE
    assert found.receipts > 0
    assert found.waited > PEOPLE  # the policies had something to decide


@pytest.mark.parametrize(
    ("policy", "noticed"),
    # The state machine takes caps and quiet hours away, too.
    [
        ("priority", "inversions"),
        *([("caps", "cap_breaches"), ("quiet", "quiet_breaches"), ("lane", "delayed")] * FULL),
    ],
)
def test_weeks_without_a_policy_are_noticed_by_the_reader(policy: str, noticed: str) -> None:
    assert getattr(lived(policy), noticed) > 0
