"""The process in which templates are tried out: `python -m …isolated_child LANGUAGE_CODE`.

It takes pickles from its parent and answers with JSON. It sets Django up with nothing but our
words, so that it holds no secret; `isolation.py` says the rest.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from liquid.exceptions import LiquidError, ResourceLimitError

SOFT_SECONDS: Final = 1.0
#: What a child may grow by over what it has when it is ready.
MEMORY: Final = 256 * 1024 * 1024
#: An idle child goes home.
IDLE_SECONDS: Final = 900.0
#: What stands before each piece: its length.
HEADER: Final = "!I"

#: Name, source, whether it is HTML.
Part = tuple[str, str, bool]


class TooSlow(BaseException):
    """The soft limit of time has passed. Not an `Exception`: nothing on the way may catch it."""


def cook(request: Mapping[str, Any]) -> dict[str, Any]:
    """Render the parts of a request, until one fails.

    Args:
        request: As `isolation.render_isolated` and `isolation.parse_isolated` make it.

    Returns:
        `texts` by name, or `fault`; plain JSON.
    """
    from django.utils import translation

    texts: dict[str, str] = {}
    with translation.override(request["words"]):
        for name, source, html in request["parts"]:
            try:
                texts[name] = _rendered(source, html, request)
            except (TooSlow, MemoryError, RecursionError) as error:
                return {"fault": _over(name, error)}
            except Exception as error:  # what fails is said to whoever wrote it
                return {"fault": _fault(name, error)}
    return {"texts": texts}


def _rendered(source: str, html: bool, request: Mapping[str, Any]) -> str:
    from .liquid import HTML, PLAIN, parse, render_source

    if request.get("only_parse"):
        parse(source, HTML if html else PLAIN)
        return ""
    return render_source(
        source,
        request["context"],
        html=html,
        language=request["language"],
        time_zone=request["time_zone"],
    )


def _fault(name: str, error: Exception) -> dict[str, Any]:
    from django.utils.translation import gettext as _

    from .liquid import error_line, error_message
    from .tokens import SourceProblem

    line, message = 1, ""
    if isinstance(error, SourceProblem):
        line, message = error.line, str(error)
    elif isinstance(error, LiquidError):
        line, message = error_line(error), error_message(error)
    else:
        # Its own words may quote a customer's data.
        message = _("A filter met data it cannot work with (%(kind)s).")
        message %= {"kind": type(error).__name__}
    limit = isinstance(error, ResourceLimitError)
    return {"part": name, "line": line, "message": message, "limit": limit}


def _over(name: str, error: BaseException) -> dict[str, Any]:
    from django.utils.translation import gettext as _

    if isinstance(error, TooSlow):
        message = _("This takes longer than a second. Take out loops within loops, or shorten it.")
    else:
        message = _("This needs too much memory. Shorten it.")
    return {"part": name, "line": 1, "message": message, "limit": True}


def main(language: str) -> None:
    """Answer questions until the parent is gone."""
    _set_up(language)
    # Whatever prints must not speak to the parent.
    spoken, sys.stdout = sys.stdout, sys.stderr
    answers = spoken.buffer
    _limit_memory()
    _say(answers, "ready")
    while True:
        with _alarm(IDLE_SECONDS):
            try:
                request = _hear(sys.stdin.buffer)
            except TooSlow:
                return
        if request is None:
            return
        _say(answers, _cooked_in_time(request))


def _cooked_in_time(request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with _alarm(SOFT_SECONDS):
            return cook(request)
    except (TooSlow, MemoryError) as error:
        return {"fault": _over(next((part[0] for part in request["parts"]), ""), error)}


def _set_up(language: str) -> None:
    """Django with nothing but our own words, and everything imported that a rendering needs."""
    import django
    from django.conf import settings

    here = Path(__file__).resolve().parent.parent
    settings.configure(LANGUAGE_CODE=language, LOCALE_PATHS=[str(here / "locale")], USE_TZ=True)
    django.setup()
    warm = {"context": {"m": {"amount": "1", "currency": "EUR"}, "d": "2026-01-01T00:00:00+00:00"}}
    source = "{{ m | money }}{{ d | date }}{{ d | datetime }}{{ 1 | number }}"
    # Locales and zones are read from files; the first mail should not wait for it.
    _rendered(source, True, warm | {"language": language, "time_zone": "UTC"})


def _limit_memory() -> bool:
    """Let the process grow by no more than `MEMORY`; False where the system cannot."""
    try:
        import resource

        size = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return False
    try:
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        return False
    return True


def _too_slow(*_args: object) -> None:
    raise TooSlow


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` after so long, where there are alarms; the parent kills in any case."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hear(pipe: IO[bytes]) -> dict[str, Any] | None:
    """The next request; None where the parent has closed the pipe. Only the parent writes here."""
    head = pipe.read(struct.calcsize(HEADER))
    if len(head) < struct.calcsize(HEADER):
        return None
    loads: Callable[[bytes], Any] = pickle.loads
    request: dict[str, Any] = loads(pipe.read(struct.unpack(HEADER, head)[0]))
    return request


def _say(pipe: IO[bytes], answer: object) -> None:
    data = json.dumps(answer).encode("utf-8", "replace")
    pipe.write(struct.pack(HEADER, len(data)) + data)
    pipe.flush()


if __name__ == "__main__":
    main(sys.argv[1])
