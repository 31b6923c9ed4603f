"""What the docs tell a host to do works as it is written there."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from tests.unit.test_docs import DOCS, blocks


@pytest.mark.django_db
def test_how_to_test_your_journeys_works_as_written(settings: Settings) -> None:
    test, fixture, *_rest = blocks(DOCS / "how-to" / "test-your-journeys.md", "python")
    names: dict[str, Any] = {}
    for source in (fixture, test):
        for decorator in ("@pytest.fixture\n", "@pytest.mark.django_db\n"):
            source = source.replace(decorator, "")
        exec(source, names)  # noqa: S102 - our own page
    names["cart_journey"](None, settings)
    names["test_a_forgotten_cart_is_remembered"](None)
