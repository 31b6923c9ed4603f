"""Chaos takes minutes and servers of its own: a run of all tests leaves it out."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOT_ASKED_FOR = "A step of its own: python3 -m tests tests/chaos"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip them, unless this folder, or a file in it, was named."""
    asked = any(HERE.name in argument for argument in config.args)
    for item in items:
        if not asked and item.path.parent == HERE:
            item.add_marker(pytest.mark.skip(reason=NOT_ASKED_FOR))
