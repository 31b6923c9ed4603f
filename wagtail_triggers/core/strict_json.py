"""JSON from outside, read within limits: what two readers could take differently is refused.

The limits are those of docs/explanation/security: 32 levels, 5,000 keys, integers of 64 bits, texts
of 64 KiB; no NaN, no infinity, no key twice in one object, no lone half of a surrogate pair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NoReturn

MAX_BYTES: Final = 1024 * 1024
MAX_LEVELS: Final = 32
MAX_KEYS: Final = 5_000
MAX_TEXT: Final = 64 * 1024
_MAX_INTEGER: Final = 2**63
#: Digits of the largest integer of 64 bits, with its sign; longer ones are not even read.
_MAX_DIGITS: Final = 20
_MAX_DECIMAL: Final = 40


class BadJson(ValueError):
    """What came is no JSON that is taken; the message says why, and quotes nothing."""


def loads(raw: bytes, *, decimals: bool = False) -> Any:
    """Read a document.

    Args:
        raw: UTF-8, at most `MAX_BYTES`.
        decimals: Numbers with a point become Decimals, digit by digit, instead of floats.

    Raises:
        BadJson: It is none, or passes a limit.
    """
    if len(raw) > MAX_BYTES:
        raise BadJson(f"There are {len(raw)} bytes; at most {MAX_BYTES} are read.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"This is not UTF-8: byte {error.start} is wrong.") from None
    _count_levels(text)
    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_decimal if decimals else float,
        )
    except json.JSONDecodeError as error:
        raise BadJson(f"This is no JSON: {error.msg}, line {error.lineno}.") from None
    except RecursionError:
        raise BadJson(f"It is nested deeper than {MAX_LEVELS} levels.") from None
    _judge(found)
    return found


def _count_levels(text: str) -> None:
    """Refuse what is nested too deep before a parser recurses into it."""
    level, quoted, escaped = 0, False, False
    for sign in text:
        if quoted:
            if escaped:
                escaped = False
            elif sign == "\\":
                escaped = True
            elif sign == '"':
                quoted = False
        elif sign == '"':
            quoted = True
        elif sign in "[{":
            level += 1
            if level > MAX_LEVELS:
                raise BadJson(f"It is nested deeper than {MAX_LEVELS} levels.")
        elif sign in "]}":
            level -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("An object names one key twice.")
    return found


def _constant(_name: str) -> NoReturn:
    raise BadJson("NaN and infinity are no JSON numbers.")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or not -_MAX_INTEGER <= int(digits) < _MAX_INTEGER:
        raise BadJson("A whole number does not fit into 64 bits.")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if len(digits) > _MAX_DECIMAL:
        raise BadJson("A number has too many digits.")
    return Decimal(digits)


def _judge(found: Any) -> None:
    keys = 0
    for value in _walk(found):
        if isinstance(value, dict):
            keys += len(value)
            if keys > MAX_KEYS:
                raise BadJson(f"There are more than {MAX_KEYS} keys in it.")
        elif isinstance(value, str):
            _judge_text(value)
        elif isinstance(value, float) and value - value != 0:
            raise BadJson("A number is too large.")


def _judge_text(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise BadJson(f"A text is longer than {MAX_TEXT} characters.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadJson("A text holds half of a surrogate pair.") from None


def _walk(found: Any) -> Iterator[Any]:
    waiting = [found]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
