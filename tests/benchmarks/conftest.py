"""Benchmarks take minutes and servers of their own: a run of all tests leaves them out."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOT_ASKED_FOR = "A step of its own: python3 -m tests tests/benchmarks"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what starts a benchmark, unless this folder, or a file in it, was named."""
    asked = any(HERE.name in argument for argument in config.args)
    for item in items:
        if not asked and item.path.parent == HERE and item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.skip(reason=NOT_ASKED_FOR))
