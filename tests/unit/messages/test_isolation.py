"""What is tried out in a process of its own cannot outlive two seconds, grow, or be read from."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from wagtail_triggers.messages import isolation
from wagtail_triggers.messages.isolation import Child, parse_isolated, render_isolated
from wagtail_triggers.messages.liquid import freeze_context

STUBBORN = "tests.unit.messages.stubborn_child"


@pytest.fixture
def stubborn() -> Iterator[Child]:
    """A child that does what sources say."""
    child = Child(STUBBORN)
    yield child
    child.close()


def say(child: Child, source: str) -> tuple[dict[str, Any], float]:
    """Its answer and the seconds that it took, the start of the child aside."""
    if child.pid is None:
        child.ask({"parts": [("", "", False)], "words": "en"})
    began = time.monotonic()
    answer = child.ask({"parts": [("body", source, False)], "words": "en"})
    return answer, time.monotonic() - began


def test_sources_are_rendered_with_their_types() -> None:
    context = freeze_context(
        {
            "total": {"amount": Decimal("61.00"), "currency": "EUR"},
            "day": date(2026, 5, 1),
            "at": datetime(2026, 5, 1, 22, 30, tzinfo=UTC),
            "name": "<b>",
        }
    )
    cooked = render_isolated(
        [
            ("subject", "{{ name }} {{ total | money }}", False),
            ("html", "<p>{{ name }} {{ day | date: 'long' }} {{ at | time }}</p>", True),
        ],
        context,
        language="de",
        time_zone="Europe/Berlin",
    )
    assert cooked.fault is None
    assert cooked.texts == {
        "subject": "<b> 61,00\xa0€",
        "html": "<p>&lt;b&gt; 1. Mai 2026 00:30</p>",
    }
    assert 0 < cooked.seconds < 60


def test_fault_is_told_with_its_part_and_line_in_the_readers_language() -> None:
    sources = [("subject", "fine", False), ("html", "a\n{{ 1 | divided_by: 0 }}", True)]
    fault = render_isolated(sources, {}, language="en", time_zone="UTC").fault
    assert fault is not None
    assert (fault.part, fault.line, fault.limit) == ("html", 2, False)
    assert "divide by zero" in fault.message
    with translation.override("ru"):
        broken = parse_isolated("a\n\n{{ x ", html=True)
    assert broken is not None
    assert broken.line == 3
    assert "{{ x" in broken.message
    assert "is not closed" not in broken.message


def test_sound_source_parses_without_a_fault() -> None:
    assert parse_isolated("{% if a %}{{ b }}{% endif %}", html=True) is None


def test_one_child_is_kept_warm_and_replaced_after_it_was_killed(stubborn: Child) -> None:
    first = stubborn.ask({"parts": [("", "", False)], "words": "en"})
    pid = stubborn.pid
    assert "texts" in first
    say(stubborn, "")
    assert stubborn.pid == pid
    answer, seconds = say(stubborn, "asleep")
    assert answer["fault"]["limit"] is True
    assert "longer than 2 seconds" in answer["fault"]["message"]
    assert 1.9 < seconds < 4
    assert stubborn.pid is None
    assert "texts" in say(stubborn, "")[0]
    assert stubborn.pid not in {None, pid}


def test_busy_child_gives_up_by_itself_after_a_second(stubborn: Child) -> None:
    say(stubborn, "")
    pid = stubborn.pid
    answer, seconds = say(stubborn, "busy")
    assert "longer than a second" in answer["fault"]["message"]
    assert 0.9 < seconds < 1.9
    assert stubborn.pid == pid


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux keeps a process from growing.")
def test_hungry_child_cannot_grow_beyond_its_limit(stubborn: Child) -> None:
    say(stubborn, "")
    pid = stubborn.pid
    answer, _seconds = say(stubborn, "hungry")
    assert "too much memory" in answer["fault"]["message"]
    peak = _status(pid, "VmHWM")
    assert peak < 512 * 1024, f"{peak} kB"


def _status(pid: int | None, name: str) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


def test_source_that_ends_the_child_twice_is_refused(stubborn: Child) -> None:
    answer, _seconds = say(stubborn, "gone")
    assert answer["fault"]["limit"] is True
    assert "texts" in say(stubborn, "")[0]


def test_child_that_prints_is_still_understood(stubborn: Child) -> None:
    assert "texts" in say(stubborn, "chatty")[0]


def test_child_inherits_nothing_of_the_environment(
    stubborn: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_1")
    seen = say(stubborn, "")[0]["texts"]["secrets"]
    assert "STRIPE" not in seen
    assert "DJANGO_SETTINGS_MODULE" not in seen


def test_without_an_interpreter_it_is_rendered_here_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    child = Child()
    request = {
        "parts": [("a", "{{ x }}", True)],
        "context": {"x": "<"},
        "language": "en",
        "time_zone": "UTC",
        "words": "en",
    }
    with caplog.at_level(logging.WARNING, "wagtail_triggers.isolation"):
        assert child.ask(request) == {"texts": {"a": "&lt;"}}
        assert child.ask(request) == {"texts": {"a": "&lt;"}}
    assert len(caplog.records) == 1
    assert "sys.executable" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="There is no fork on this system.")
def test_forked_process_leaves_its_parents_child_alone() -> None:
    assert parse_isolated("a", html=True) is None
    pid = isolation._child.pid
    reading, writing = os.pipe()
    forked = os.fork()
    if forked == 0:
        os.write(writing, str(isolation._child.pid).encode())
        os._exit(0)
    os.waitpid(forked, 0)
    assert os.read(reading, 20) == b"None"
    assert isolation._child.pid == pid
    assert parse_isolated("a", html=True) is None
