"""One rendering: what it sees, what it writes, and what it may spend.

python-liquid's limits count nested loops and assigned names. They do not count loops one after the
other, what filters build, or time; these do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from time import thread_time
from typing import Any, Final

from liquid import BoundTemplate, Markup, RenderContext
from liquid.exceptions import (
    LocalNamespaceLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
)
from liquid.utils import ReadOnlyChainMap

MAX_ITERATIONS: Final = 2_000
MAX_OUTPUT_BYTES: Final = 500_000
#: Longest text that a filter may take or give.
MAX_FILTER_CHARS: Final = 200_000
#: Work that one rendering may do: a unit is a node rendered, or a filter over 1,000 characters.
#: An honest mail of 50 lines takes about 1,000 units; 200,000 take under a second.
MAX_WORK: Final = 200_000
#: Processor time that one rendering may take. The thread's own time: a paused worker is no attack.
MAX_CPU_SECONDS: Final = 1.0
_LOOK_EVERY: Final = 250
MAX_LOCALS: Final = 200
_MAX_NUMBER: Final = 10**40
#: A filter costs several nodes.
_FILTER_WORK: Final = 5
_TEXT_FILTERS: Final = frozenset(
    {
        "append", "prepend", "remove", "remove_first", "remove_last", "replace", "replace_first",
        "replace_last", "split", "join", "truncate", "truncatewords",
    }
)  # fmt: skip


def as_text(value: object) -> str:
    """A value as a reader expects to see it; what is missing is "", never "None"."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | tuple):
        return "".join(as_text(one) for one in value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


class Scope(ReadOnlyChainMap):
    """Names by scope. Asking costs a fifth of python-liquid's catching an exception a scope."""

    def __getitem__(self, key: str) -> object:
        for names in self._maps:
            if key in names:
                return names[key]
        raise KeyError(key)


class Buffer:
    """What a rendering writes to: pieces, and how many characters they have."""

    __slots__ = ("limit", "pieces", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.pieces: list[str] = []
        self.size = 0

    def write(self, text: str) -> int:
        """Write.

        Raises:
            OutputStreamLimitError: It is too much.
        """
        self.size += len(text)
        if self.size > self.limit:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        self.pieces.append(text)
        return 1

    def getvalue(self) -> str:
        """Everything that was written."""
        # Not Markup's join: what is escaped here is escaped already.
        return "".join(map(str.__str__, self.pieces))


class MessageContext(RenderContext):
    """One rendering: its variables, language, time zone and what it has spent so far."""

    __slots__ = ("deadline", "language", "loop_weights", "next_look", "time_zone", "work")

    def __init__(
        self,
        template: BoundTemplate,
        *,
        variables: Mapping[str, object],
        language: str,
        time_zone: str,
    ) -> None:
        super().__init__(template, globals=variables)
        # Without python-liquid's `now` and `today`.
        self.scope = Scope(self.locals, self.globals)
        self.language = language
        self.time_zone = time_zone
        self.work = 0
        self.loop_weights: list[int] = []
        self.deadline = thread_time() + MAX_CPU_SECONDS
        self.next_look = _LOOK_EVERY

    def spend(self, units: int) -> None:
        """Count work.

        Raises:
            ResourceLimitError: The rendering has spent what it may.
        """
        self.work += units
        if self.work > self.next_look:
            self.next_look = self.work + _LOOK_EVERY
            if self.work > MAX_WORK or thread_time() > self.deadline:
                raise ResourceLimitError("the template does too much work", token=None)

    def get(self, path: list[object], **kwargs: Any) -> object:
        """Resolve a path, which is what comparing and searching large texts cannot do without."""
        self.work += 1
        if self.work > self.next_look:
            self.spend(0)
        try:
            here = self.scope[path[0]]  # type: ignore[index]  # a root that is no text is a KeyError
            for segment in path[1:]:
                # Dicts are most of what a template reads; the rest is the long way's.
                if type(here) is not dict:
                    return super().get(path, **kwargs)
                here = here[segment]
        except (KeyError, TypeError):
            return super().get(path, **kwargs)
        return here

    def assign(self, key: str, val: Any) -> None:
        """Set a local variable.

        Raises:
            LocalNamespaceLimitError: There are too many, or they are too large.
        """
        if len(self.locals) >= MAX_LOCALS and key not in self.locals:
            raise LocalNamespaceLimitError("local namespace limit reached", token=None)
        super().assign(key, val)

    @contextmanager
    def loop(self, namespace: Any, forloop: Any) -> Iterator[RenderContext]:
        """Enter a loop, paying for all its rounds."""
        self.spend(forloop.length * (self.loop_weights[-1] + 1))
        with super().loop(namespace, forloop) as context:
            yield context

    def get_buffer(self, buf: Any = None) -> Any:
        """A buffer for `capture`, with what is left of the limit."""
        return Buffer(MAX_OUTPUT_BYTES - (buf.size if isinstance(buf, Buffer) else 0))

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        """The filter with this name, guarded."""
        return _Guarded(name, super().filter(name, token), self)


class _Guarded:
    """A filter that sees plain values within bounds, and gives no more than that."""

    __slots__ = ("context", "function", "name")

    def __init__(self, name: str, function: Callable[..., object], context: MessageContext) -> None:
        self.name = name
        self.function = function
        self.context = context

    def __call__(self, left: object, *args: object, **kwargs: object) -> object:
        left = self._taken(left)
        given = [self._taken(one) for one in args]
        if self.name in _TEXT_FILTERS:
            left = "" if left is None else left
            given = ["" if one is None else one for one in given]
        if self.name in {"replace", "join"}:
            _refuse_growth(self.name, left, given)
        if self.name == "join" and isinstance(left, list | tuple):
            left = [as_text(one) for one in left]
        return self._bounded(
            self.function(left, *given, **{k: self._taken(v) for k, v in kwargs.items()})
        )

    def _taken(self, value: object) -> object:
        if isinstance(value, Markup):
            # A filter could cut sanitised markup in two. As text it is escaped again at the end.
            value = value.unescape()
        return self._bounded(value)

    def _bounded(self, value: object) -> object:
        units = _FILTER_WORK
        if isinstance(value, str):
            if len(value) > MAX_FILTER_CHARS:
                raise _too_large(self.name)
            units += len(value) // 1_000
        elif isinstance(value, list | tuple | range):
            if len(value) > MAX_ITERATIONS:
                raise _too_large(self.name)
            units += len(value) // 10
            if self.name == "uniq":  # compares each item with every other
                units += len(value) ** 2 // 200
        elif isinstance(value, int | Decimal) and not -_MAX_NUMBER < value < _MAX_NUMBER:
            raise _too_large(self.name)
        self.context.spend(units)
        return value


def _too_large(name: str) -> ResourceLimitError:
    return ResourceLimitError(f"{name}: the value is too large", token=None)


def _refuse_growth(name: str, left: object, given: list[object]) -> None:
    """Refuse what would be built before its size could be looked at."""
    if name == "join" and isinstance(left, list | tuple):
        separator = len(as_text(given[0])) if given else 1
        size = sum(len(as_text(one)) + separator for one in left)
    elif name == "replace" and given:
        text, old = as_text(left), as_text(given[0])
        new = as_text(given[1]) if len(given) > 1 else ""
        size = len(text) + text.count(old) * len(new)
    else:
        return
    if size > MAX_FILTER_CHARS:
        raise _too_large(name)
