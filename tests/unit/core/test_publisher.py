"""Hints leave from a background thread; a process that ends does not cut them off."""

from __future__ import annotations

import threading

import pytest

from wagtail_triggers.core.queue import Publisher


def test_flush_waits_for_a_hint_that_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher()
    begun, may_end = threading.Event(), threading.Event()
    sent: list[str] = []

    def publish(task: str) -> None:
        begun.set()
        assert may_end.wait(10)
        sent.append(task)

    monkeypatch.setattr(publisher, "_publish", publish)
    publisher.want("wagtail_triggers.route")
    assert begun.wait(10)
    threading.Timer(0.2, may_end.set).start()
    publisher.flush()
    assert sent == ["wagtail_triggers.route"]
