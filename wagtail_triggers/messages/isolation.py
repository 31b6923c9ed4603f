"""Render what an editor has just written in a process of its own, which can be killed.

The limits of `sandbox.py` stop every attack that is known. What they do not count (a parser that
runs away, memory) ends here: after a second the child gives up by itself, after two it is killed,
and it cannot grow by more than `MEMORY`. It knows no settings and no environment, so there is
nothing in it to steal. A *published* template was rendered here first, and then renders in the
worker, under the limits alone.

One child a process is kept warm; the next rendering after a kill starts another. Where there is no
interpreter to start (a frozen program, one embedded in another) rendering stays in this process,
under the limits, and a warning says so once.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import IO, Any, Final

from django.conf import settings as django_settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .isolated_child import HEADER, SOFT_SECONDS, Part, cook

logger = logging.getLogger("wagtail_triggers.isolation")

HARD_SECONDS: Final = 2.0
#: How long a rendering waits for another one of this process.
_PATIENCE: Final = 10.0
#: A child that has not said that it is ready by then never will.
_START_SECONDS: Final = 30.0
#: A whole letter is 500 kB at most, in four parts.
_LONGEST_ANSWER: Final = 16 * 1024 * 1024
#: What a child needs of the environment to start at all; nothing else is handed on.
_ENVIRONMENT: Final = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZDIR")
#: The program that the child runs; tests name others.
PROGRAM: Final = "wagtail_triggers.messages.isolated_child"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why sources could not be rendered.

    Attributes:
        part: Which of them, by the name that it was given.
        line: Its line there, from 1.
        message: What is wrong, for people.
        limit: Whether it spent more time or memory than it may: it must not be parsed anywhere
            else.
    """

    part: str
    line: int
    message: str
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Cooked:
    """What came of some sources: a text for each, or a fault.

    Attributes:
        texts: By name; empty where there is a fault.
        fault: The first thing that went wrong.
        seconds: How long it took, with the way there and back.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    seconds: float = 0.0


class _Gone(Exception):
    """The child ended before it answered."""


def render_isolated(
    parts: Sequence[Part], context: Mapping[str, object], *, language: str, time_zone: str
) -> Cooked:
    """Render Liquid sources in the child.

    Args:
        parts: (name, source, whether it is HTML), rendered in order until one fails.
        context: What `freeze_context` returned.
        language: For money, dates and numbers.
        time_zone: An IANA name.
    """
    began = perf_counter()
    request = {
        "parts": list(parts),
        "context": dict(context),
        "language": language,
        "time_zone": time_zone,
        "words": get_language() or "en",
    }
    answer = _child.ask(request)
    fault = answer.get("fault")
    return Cooked(
        texts=answer.get("texts") or {},
        fault=Fault(**fault) if fault else None,
        seconds=perf_counter() - began,
    )


def parse_isolated(source: str, *, html: bool) -> Fault | None:
    """Parse a Liquid source in the child; what passes may be parsed here too.

    Args:
        source: What an editor wrote, or what was compiled of it.
        html: Whether it will be rendered as HTML.

    Returns:
        What is wrong with it, or None.
    """
    answer = _child.ask(
        {"parts": [("", source, html)], "words": get_language() or "en", "only_parse": True}
    )
    fault = answer.get("fault")
    return Fault(**fault) if fault else None


class Child:
    """The child of this process, started when it is first needed; one caller at a time.

    Args:
        program: The module that it runs.
    """

    def __init__(self, program: str = PROGRAM) -> None:
        self.program = program
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._impossible = False

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Let the child do a piece of work; a fault of the child's is a fault of the sources'."""
        if not self._lock.acquire(timeout=_PATIENCE):
            busy = _("Other previews are being made just now. Try again in a moment.")
            return _refusal(request, busy, limit=False)
        try:
            return self._ask(request)
        finally:
            self._lock.release()

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        for _attempt in range(2):
            process = self._running()
            if process is None:
                return cook(request)
            try:
                return self._exchange(process, request)
            except TimeoutError:
                logger.warning("A template that was tried out ran for too long and was killed")
                slow = _(
                    "This takes longer than %(seconds)d seconds. Take out loops within loops, or "
                    "shorten it."
                )
                return _refusal(request, slow % {"seconds": HARD_SECONDS}, limit=True)
            except _Gone:
                # It may have slept too long and gone home; a source that kills it does so twice.
                logger.info("The child that renders templates was gone; another one is started")
                self.close()
        logger.warning("A template that was tried out ended the process that rendered it, twice")
        return _refusal(request, _("This needs too much memory. Shorten it."), limit=True)

    def _exchange(
        self, process: subprocess.Popen[bytes], request: Mapping[str, Any]
    ) -> dict[str, Any]:
        if process.stdin is None or process.stdout is None:
            raise _Gone
        killed = threading.Event()
        timer = threading.Timer(HARD_SECONDS, partial(self._kill, process, killed))
        timer.daemon = True
        timer.start()
        try:
            _write(process.stdin, pickle.dumps(request))
            answer: dict[str, Any] = json.loads(_read(process.stdout))
        except (OSError, ValueError, _Gone) as error:
            if killed.is_set():
                self.close()
                raise TimeoutError from error
            raise _Gone from error
        finally:
            timer.cancel()
        return answer

    def _kill(self, process: subprocess.Popen[bytes], killed: threading.Event) -> None:
        killed.set()
        process.kill()

    def _running(self) -> subprocess.Popen[bytes] | None:
        """The child, started at need; None where there cannot be one."""
        if self._impossible:
            return None
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        try:
            self._process = _start(self.program)
        except (OSError, _Gone) as error:
            self._impossible = True
            logger.warning(
                "No process of its own could be started for templates (%s): they are rendered in "
                "this one, under the same limits but without a time after which it is killed. Let "
                "sys.executable name a Python interpreter.",
                error,
            )
            return None
        return self._process

    @property
    def pid(self) -> int | None:
        """The child's process id, or None where none runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def close(self) -> None:
        """End the child; the next question starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    logger.debug("A child's pipe was broken already", exc_info=True)
        process.wait()

    def forget(self) -> None:
        """In a forked process: the child is the parent's."""
        self._lock = threading.Lock()
        self._process = None


def _start(program: str) -> subprocess.Popen[bytes]:
    if not sys.executable or getattr(sys, "frozen", False):
        raise _Gone("this interpreter has no program of its own")
    given = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    given |= {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    process = subprocess.Popen(  # noqa: S603 (our own module, by our own interpreter)
        [sys.executable, "-m", program, str(django_settings.LANGUAGE_CODE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=given,
        start_new_session=True,
    )
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    try:
        if process.stdout is None or _read(process.stdout) != b'"ready"':
            raise _Gone("it did not say that it is ready")
    except _Gone:
        process.kill()
        process.wait()
        raise
    finally:
        timer.cancel()
    return process


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(struct.pack(HEADER, len(data)) + data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    """One answer. It is JSON, never a pickle: the child has run what a stranger wrote."""
    head = pipe.read(struct.calcsize(HEADER))
    if len(head) < struct.calcsize(HEADER):
        raise _Gone("it ended")
    (size,) = struct.unpack(HEADER, head)
    if size > _LONGEST_ANSWER:
        raise _Gone("its answer is too long")
    data = pipe.read(size)
    if len(data) < size:
        raise _Gone("it ended in the middle of its answer")
    return data


def _refusal(request: Mapping[str, Any], message: str, *, limit: bool) -> dict[str, Any]:
    name = next((part[0] for part in request["parts"]), "")
    return {"fault": {"part": name, "line": 1, "message": message, "limit": limit}}


_child: Final = Child()
atexit.register(_child.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_child.forget)

__all__ = [
    "HARD_SECONDS",
    "SOFT_SECONDS",
    "Child",
    "Cooked",
    "Fault",
    "Part",
    "parse_isolated",
    "render_isolated",
]
