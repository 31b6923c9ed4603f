"""End: the run is over."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.base import NoSettings
from wagtail_triggers.journeys.steps.decisions import Exit
from wagtail_triggers.journeys.steps.end import EndStep

from ..world import World, run


def test_end_decides_to_exit_as_completed_without_conversion() -> None:
    assert EndStep(NoSettings()).decide(run()) == Exit("completed", converted=False)


def test_end_has_no_way_out_and_says_so_in_a_word() -> None:
    assert EndStep(NoSettings()).ports() == ()
    assert EndStep(NoSettings()).describe(World()) == "End"


def test_end_takes_no_settings() -> None:
    with pytest.raises(ValidationError):
        NoSettings.model_validate({"x": 1})
