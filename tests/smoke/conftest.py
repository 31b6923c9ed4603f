"""The outbox of the concurrency tests: messages are kept twice if they are handed over twice."""

from __future__ import annotations

from tests.concurrency.conftest import outbox

__all__ = ["outbox"]
