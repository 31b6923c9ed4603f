"""Hardened Liquid: parse, check, and render the templates that editors write.

There are two environments. HTML escapes every value; PLAIN, for subjects and plain text, escapes
none. What the sandbox forbids and why stands in `sandbox.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, cast

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

from ..exceptions import TemplateProblem
from . import sandbox
from .analysis import LiquidProblem, check_names, check_variables
from .isolation import parse_isolated
from .sandbox import HTML, PLAIN
from .tokens import MAX_COMPILED_BYTES, MAX_SOURCE_BYTES, SourceProblem, line_of, scan
from .variables import VariableTree

__all__ = ["HTML", "PLAIN", "LiquidProblem", "check", "freeze_context", "parse", "render_source"]

#: Parsed templates kept in a process: three sources for each of some hundred live revisions.
_CACHE_SIZE: Final = 512
#: What a context may hold, besides dicts, lists and tuples.
_SCALARS: Final = (str, int, float, Decimal, bool, date, type(None))
_MAX_CONTEXT_DEPTH: Final = 32


class ContextProblem(TemplateProblem):
    """The context of a template holds something that is not plain data."""


@lru_cache(maxsize=_CACHE_SIZE)
def parse(source: str, environment: Environment) -> BoundTemplate:
    """Parse a source, or take it from the cache.

    Args:
        source: Liquid, compiled or as an editor wrote it.
        environment: `HTML` or `PLAIN`.

    Raises:
        SourceProblem: With the line.
        liquid.exceptions.LiquidError: With python-liquid's token.
    """
    if len(source.encode("utf-8", "replace")) > MAX_COMPILED_BYTES:
        raise SourceProblem(
            _("The template is larger than %(limit)d kB. Shorten it.")
            % {"limit": MAX_COMPILED_BYTES // 1024},
            line=1,
        )
    for token in scan(source):
        # The lexer knows `raw` and `doc` whatever the environment allows.
        if token.name in {"raw", "doc"}:
            raise SourceProblem(
                _("The tag “%(name)s” cannot be used here. Remove it.") % {"name": token.name},
                line=line_of(source, token.start),
            )
    return environment.from_string(source)


def render_source(
    source: str,
    context: Mapping[str, object],
    *,
    html: bool,
    language: str = "en",
    time_zone: str = "UTC",
) -> str:
    """Render one source with a frozen context.

    Args:
        source: Liquid.
        context: What `freeze_context` returned.
        html: Whether values are escaped.
        language: For money, dates and numbers.
        time_zone: An IANA name, for dates.

    Raises:
        SourceProblem: The source cannot be read.
        liquid.exceptions.LiquidError: It failed or met a limit.
    """
    template = parse(source, HTML if html else PLAIN)
    return sandbox.render(template, context, language=language, time_zone=time_zone)


def freeze_context(context: Mapping[str, object]) -> dict[str, object]:
    """Copy a context, refusing everything but plain data.

    Args:
        context: Dicts with text keys, lists and tuples of text, numbers, Decimals, booleans, dates,
            datetimes and None. Model instances, lazy strings, functions and the like are refused:
            a template must not be able to reach code. An empty text becomes None: it is missing.

    Raises:
        ContextProblem: Naming the path of what is refused.
    """
    return {_key(name, ""): _frozen(value, name, 1) for name, value in context.items()}


def _key(name: object, path: str) -> str:
    if type(name) is not str:
        raise ContextProblem(
            f"The template context has the key {name!r} at “{path}”. Use text keys only."
        )
    return name


def _frozen(value: object, path: str, depth: int) -> object:
    if depth > _MAX_CONTEXT_DEPTH:
        raise ContextProblem(
            f"The template context is nested too deeply at “{path}”: at most "
            f"{_MAX_CONTEXT_DEPTH} levels."
        )
    kind = type(value)
    if kind is str:
        # Shops write "" where they know nothing. Liquid takes an empty text for true, and an editor
        # who writes {% if contact.first_name %} means a name.
        return _clean(cast(str, value)) or None
    if kind is dict:
        return {
            _key(name, path): _frozen(child, f"{path}.{name}", depth + 1)
            for name, child in cast(dict[object, object], value).items()
        }
    if kind is list or kind is tuple:
        items = cast(Sequence[object], value)
        return [_frozen(child, f"{path}[{i}]", depth + 1) for i, child in enumerate(items)]
    if isinstance(value, str):
        # A subclass: SafeString, for one, would escape escaping.
        return _clean("".join(value)) or None
    if not isinstance(value, _SCALARS):
        raise ContextProblem(
            f"The template context holds a {type(value).__name__} at “{path}”. Turn it into text, "
            "a number, a date, a dict or a list first."
        )
    return value


def _clean(value: str) -> str:
    """A text without half characters, which no mail could carry."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def check(source: str, *, variables: VariableTree, field: str) -> list[LiquidProblem]:
    """Everything that is wrong with what an editor wrote, found without rendering it.

    Args:
        source: The field's content.
        variables: What it may use.
        field: The field's name, for the problems.

    Returns:
        Problems by line: what cannot be parsed, unknown tags and filters, unknown variables, each
        with the nearest name that exists. Empty when all is well.
    """
    if len(source.encode("utf-8", "replace")) > MAX_SOURCE_BYTES:
        message = _("This is longer than %(limit)d kB. Shorten it.") % {
            "limit": MAX_SOURCE_BYTES // 1024
        }
        return [LiquidProblem(field, 1, message)]
    try:
        problems = check_names(list(scan(source)), source, field)
    except SourceProblem as problem:
        return [LiquidProblem(field, problem.line, str(problem))]
    if problems:
        return problems
    fault = parse_isolated(source, html=True)
    if fault is not None:
        return [LiquidProblem(field, fault.line, fault.message)]
    template = parse(source, HTML)
    return sorted(check_variables(template, variables, field), key=lambda one: one.line)


def error_line(error: LiquidError) -> int:
    """The line of the source at which python-liquid failed; 1 where it does not know."""
    if error.token is None or error.token.start_index < 0:
        return 1
    return line_of(error.token.source, error.token.start_index)


def error_message(error: LiquidError) -> str:
    """What python-liquid says, without the source and its arrows."""
    return str(error.message or error.__class__.__name__)
