"""The collector rests during a batch, and is afterwards what it was before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from wagtail_triggers.core.collecting import uncollected


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("was_on", [True, False])
def test_collector_rests_while_the_function_runs_and_is_then_as_it_was(was_on: bool) -> None:
    (gc.enable if was_on else gc.disable)()
    assert uncollected(gc.isenabled)() is False
    assert gc.isenabled() is was_on


def test_collector_goes_on_after_a_function_that_raised() -> None:
    @uncollected
    def fail() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        fail()
    assert gc.isenabled()
