"""500 templates that reach for secrets, and 200 that never end: nothing leaks, nothing lasts (Q16).

A sample that is the same each time runs in CI; `TRIGGERS_HOSTILE=all` runs them all.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Sequence
from typing import Final

import pytest
from markupsafe import escape

from wagtail_triggers.messages import isolation
from wagtail_triggers.messages.isolation import Child, render_isolated
from wagtail_triggers.messages.liquid import freeze_context

from .hostile import endless, reaching

ALL: Final = os.environ.get("TRIGGERS_HOSTILE") == "all"
REACHING: Final = list(dict.fromkeys(reaching.templates()))
ENDLESS: Final = list(endless.templates())
#: Nobody may see these: what a template is given, and what lies around it.
SECRET = "s3cr3t-of-the-shop"
CONTEXT = freeze_context(
    {
        "contact": {"first_name": "Ada", "email": "ada@example.com", "orders_count": 3},
        "cart": {"lines": [{"name": "Teapot", "quantity": 2}] * 50},
        "n": 5,
        "a": "x",
    }
)
#: Words that only Python, its files and its network would say.
LEAKS: Final = (
    SECRET, "root:", "class '", "<class", "object at 0x", "built-in", "builtins", "__globals__",
    "site-packages", "Traceback", "uid=", "/bin/", "DJANGO_", "PYTHONPATH", "49", "7777777",
    "<script", "SELECT ", "django.", "liquid.",
)  # fmt: skip


def sample(corpus: Sequence[str], size: int) -> list[str]:
    """All of them, or always the same few."""
    if ALL:
        return list(corpus)
    return random.Random(19).sample(list(corpus), size)


def test_corpus_is_as_large_as_the_bar() -> None:
    assert len(REACHING) >= 500
    assert len(ENDLESS) == 200
    assert len(reaching.EXPRESSIONS) == 6


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> Child:
    """A child that reports every file, process and connection that it opens while it renders."""
    monkeypatch.setenv("SECRET_KEY", SECRET)
    child = Child("tests.unit.messages.spied_child")
    monkeypatch.setattr(isolation, "_child", child)
    return child


def test_template_that_reaches_for_secrets_files_and_network_gets_none(spied: Child) -> None:
    leaks, opened = [], []
    try:
        for source in sample(REACHING, 120):
            for html in (True, False):
                cooked = render_isolated(
                    [("body", source, html)], CONTEXT, language="en", time_zone="UTC"
                )
                out = cooked.texts.get("body", "")
                told = out + (cooked.fault.message if cooked.fault else "")
                leaks += [(source, leak) for leak in leaked(source, told)]
                if "opened" in cooked.texts:
                    opened.append((source, cooked.texts["opened"]))
    finally:
        spied.close()
    assert leaks == []
    assert opened == []


def leaked(source: str, told: str) -> list[str]:
    """What stands in an answer that only the inside of the machine could have said.

    What the editor wrote may come out again as text; what it asked for may not.
    """
    for quoted in _written(source):
        told = told.replace(quoted, "")
    return [leak for leak in LEAKS if leak in told]


def test_leak_is_told_from_what_was_written() -> None:
    assert leaked("{{ x.__class__ }}", "<class 'dict'>") == ["class '", "<class"]
    assert leaked("{{ 7*7 }}", "49") == ["49"]
    assert leaked("${7*7} root:", "${7*7} root:") == []
    assert leaked("{{ env }}", f"it is {SECRET}") == [SECRET]


def _written(source: str) -> list[str]:
    """Pieces of a source that come out as they were written, escaped or not."""
    pieces = {source, *source.split("'"), *source.split("{"), *source.split("}"), *source.split()}
    pieces |= {piece.strip(" {}%") for piece in pieces}
    pieces |= {str(escape(piece)) for piece in pieces}
    return sorted((piece for piece in pieces if len(piece) > 3), key=len, reverse=True)


def test_spy_sees_what_it_is_to_see(spied: Child) -> None:
    try:
        cooked = render_isolated([("spy", "", False)], CONTEXT, language="en", time_zone="UTC")
    finally:
        spied.close()
    assert "open /etc/hostname" in cooked.texts["opened"]
    assert "socket.connect" in cooked.texts["opened"]


@pytest.mark.skipif(sys.platform != "linux", reason="Memory is read from /proc.")
def test_template_that_never_ends_ends_within_its_limits() -> None:
    slow, large, unlimited = [], [], []
    child = isolation._child
    render_isolated([("warm", "x", True)], {}, language="en", time_zone="UTC")
    for source in sample(ENDLESS, 50):
        if child.pid is None:
            render_isolated([("warm", "x", True)], {}, language="en", time_zone="UTC")
        before = _peak(child.pid)
        began = time.monotonic()
        cooked = render_isolated(
            [("body", source, True), ("text", source, False)],
            CONTEXT,
            language="en",
            time_zone="UTC",
        )
        seconds = time.monotonic() - began
        # Killed is ended too; a second for the machine's own business.
        if seconds > isolation.HARD_SECONDS + 1:
            slow.append((source[:80], seconds))
        if child.pid is not None and _peak(child.pid) - before > 256 * 1024:
            large.append((source[:80], _peak(child.pid) - before))
        if sum(map(len, cooked.texts.values())) > 1_000_000:
            unlimited.append(source[:80])
    assert slow == []
    assert large == []
    assert unlimited == []


def _peak(pid: int | None) -> int:
    """The most memory that a process has held, in kB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
