"""Reads JSON that somebody uploads: within bounds, and with nothing in it that has two meanings."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from django.utils.translation import gettext as _

from ...exceptions import BundleError

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 32
#: A file of 1 MiB cannot hold many more; a journey of 300 steps in five languages has some 8,000.
MAX_KEYS: Final = 20_000
MAX_TEXT: Final = 64 * 1024
_LARGEST: Final = 2**63 - 1
#: Digits of the largest whole number: Python itself takes seconds over a million of them.
_MOST_DIGITS: Final = 20


def read_strict(data: bytes) -> Any:
    """Read a JSON document.

    Args:
        data: UTF-8, at most `MAX_BYTES`.

    Returns:
        What it holds, as Python's own reader gives it.

    Raises:
        BundleError: It is no JSON, or is too large, too deep, or ambiguous; the message says where.
    """
    if len(data) > MAX_BYTES:
        message = _("The file has %(have)d KiB, and may have %(most)d. Is it the right one?")
        raise BundleError(message % {"have": len(data) // 1024, "most": MAX_BYTES // 1024})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BundleError(
            _("The file is no text in UTF-8. Choose a file that was exported.")
        ) from None
    reader = _Reader()
    try:
        found = json.loads(
            text,
            object_pairs_hook=reader.mapping,
            parse_constant=_no_constant,
            parse_int=_whole_number,
        )
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno, "message": error.msg}
        message = _("Line %(line)d, column %(column)d: this is not valid JSON (%(message)s).")
        raise BundleError(message % place) from None
    except RecursionError:
        raise BundleError(_too_deep()) from None
    _check(found)
    return found


class _Reader:
    """Counts keys, and refuses one that comes twice: readers differ in which one they take."""

    def __init__(self) -> None:
        self.keys = 0

    def mapping(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        self.keys += len(pairs)
        if self.keys > MAX_KEYS:
            raise BundleError(_("The file has more than %(n)d keys.") % {"n": MAX_KEYS})
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _value in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            message = _("The key “%(key)s” is there twice in one object. Remove one of the two.")
            raise BundleError(message % {"key": twice[:64]})
        return made


def _no_constant(name: str) -> NoReturn:
    raise BundleError(_("“%(name)s” is no number that JSON knows.") % {"name": name})


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or not -_LARGEST <= (number := int(digits)) <= _LARGEST:
        message = _("The number %(digits)s… is too large.")
        raise BundleError(message % {"digits": digits[:12]})
    return number


def _check(document: Any) -> None:
    """Refuse what is nested too deep, and texts that no database takes."""
    level: list[Any] = [document]
    for _depth in range(MAX_DEPTH + 1):
        if not level:
            return
        level = [inner for one in level for inner in _inside(one)]
    raise BundleError(_too_deep())


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise BundleError(_("A number in the file is too large."))
    elif isinstance(value, dict):
        for key in value:
            _check_text(key)
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT:
        message = _(
            "A text in the file has %(have)d characters, and may have %(most)d: “%(text)s…”."
        )
        raise BundleError(message % {"have": len(text), "most": MAX_TEXT, "text": text[:40]})
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BundleError(
            _("A text in the file holds a character that is none: “%(text)s…”. Export it again.")
            % {"text": text[:40].encode("ascii", "backslashreplace").decode()}
        )


def _too_deep() -> str:
    return _("The file is nested more than %(n)d deep.") % {"n": MAX_DEPTH}
