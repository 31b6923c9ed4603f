"""The clock that stands still and the memory outbox, as in the acceptance tests."""

from __future__ import annotations

from tests.acceptance.conftest import clock, outbox

__all__ = ["clock", "outbox"]
